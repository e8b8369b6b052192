const NS = "http://www.w3.org/2000/svg";
const MARKS = { good: "●", wait: "◌", bad: "✕", gone: "○", plain: "■" };
const make = (tag, attrs, parent) => {
  const el = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attrs)) el.setAttribute(k, v);
  parent?.append(el);
  return el;
};
const clip = (s, w, each) => {
  const room = Math.max(6, Math.floor((w - 24) / each));
  return s.length <= room ? s : s.slice(0, room - 6) + "…" + s.slice(-5);
};
const curve = (a, b) => {
  const x1 = a.x + a.w, y1 = a.y + a.h / 2, x2 = b.x, y2 = b.y + b.h / 2, m = Math.max(24, (x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + m} ${y1} ${x2 - m} ${y2} ${x2} ${y2}`;
};
const CROWD = 150; // more boxes than this do not glide: nobody can follow them, and it costs every frame
const STEP = 520; // px, ten rows
const words = (b) => `${b.kind} ${b.name}${b.note ? ", " + b.note : ""}`;

function render({ model, el }) {
  el.classList.add("kit-picture");
  const svg = make("svg", { role: "list", tabindex: "-1" });
  const links = make("g", { "aria-hidden": "true" }, svg), things = make("g", { role: "presentation" }, svg);
  const live = document.createElement("div");
  live.className = "kit-said";
  live.setAttribute("aria-live", "polite");
  el.append(svg, live);
  const boxes = new Map(), lines = new Map();
  let order = [], at = 0, stopped;

  const set = (name, value) => { if (svg.getAttribute(name) !== value) svg.setAttribute(name, value); };
  const build = (b) => {
    const g = make("g", { role: "listitem", class: "kit-box", tabindex: "-1" }, things);
    const parts = { g, rect: make("rect", { rx: b.kind === "Probe" ? 2 : 6 }, g) };
    if (b.kind !== "Probe") {
      const name = make("text", { x: 8, y: 16, class: "kit-name" }, g);
      parts.mark = make("tspan", { class: "kit-mark" }, name);
      parts.name = make("tspan", {}, name);
      parts.note = make("text", { x: 8, y: 31, class: "kit-note" }, g);
    }
    g.addEventListener("click", () => focus(order.indexOf(b.id)));
    boxes.set(b.id, parts);
    return parts;
  };
  const paint = (b) => {
    const p = boxes.get(b.id) ?? build(b), place = `translate(${b.x}px,${b.y}px)`;
    if (p.place !== place) p.g.style.transform = p.place = place;
    const face = [b.kind, b.name, b.state, b.note, b.w, b.h, b.meter].join("\n");
    if (p.face === face) return; // most boxes stay as they are: with 500 of them this is what keeps an update short
    p.face = face;
    p.g.dataset.state = b.state;
    p.g.setAttribute("aria-label", words(b));
    p.rect.setAttribute("width", b.w);
    p.rect.setAttribute("height", b.h);
    if (p.name) {
      p.mark.textContent = MARKS[b.state];
      p.name.textContent = " " + clip(b.name, b.w, 7.2);
      const under = ["Pod", "Node", "Frame"].includes(b.kind) ? b.note : `${b.kind} ${b.note}`;
      p.note.textContent = clip(under.trim(), b.w, 5.2);
    }
    if (b.meter !== null) {
      p.meter ??= [make("rect", { x: 8, y: 40, height: 5, class: "kit-track" }, p.g), make("rect", { x: 8, y: 40, height: 5, class: "kit-meter" }, p.g)];
      p.meter[0].setAttribute("width", b.w - 16);
      p.meter[1].setAttribute("width", (b.w - 16) * b.meter);
    }
  };
  const stop = (id) => { // the one box that Tab stops at
    if (id === stopped) return;
    boxes.get(stopped)?.g.setAttribute("tabindex", "-1");
    boxes.get(id)?.g.setAttribute("tabindex", "0");
    stopped = id;
  };
  const focus = (i) => {
    if (!order.length) return;
    at = (i + order.length) % order.length;
    stop(order[at]);
    boxes.get(order[at])?.g.focus();
  };
  svg.addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    focus(at + step);
  });
  const draw = () => {
    const s = model.get("scene"), here = new Map(s.boxes.map((b) => [b.id, b]));
    const crowd = s.boxes.length > CROWD; // its height goes in steps: the browser lays all text out again whenever viewBox is set
    set("viewBox", `0 0 ${s.w} ${crowd ? Math.ceil(s.h / STEP) * STEP : s.h}`);
    set("aria-label", `${s.title}, ${s.boxes.length} objects`);
    svg.style.maxWidth = s.w + "px";
    svg.classList.toggle("kit-crowd", crowd);
    for (const [id, p] of boxes) if (!here.has(id)) { p.g.remove(); boxes.delete(id); if (id === stopped) stopped = undefined; }
    s.boxes.forEach(paint);
    const kept = new Set();
    for (const l of s.lines) {
      const a = here.get(l.source), b = here.get(l.target), id = `${l.source}>${l.target}`;
      if (!a || !b) continue;
      kept.add(id);
      const old = lines.get(id), d = curve(a, b);
      if (old?.d === d) continue;
      const path = old?.path ?? make("path", { class: "kit-line", "data-kind": l.kind }, links);
      lines.set(id, { path, d });
      path.setAttribute("d", d);
      path.style.d = `path("${d}")`;
    }
    for (const [id, { path }] of lines) if (!kept.has(id)) { path.remove(); lines.delete(id); }
    order = s.boxes.map((b) => b.id);
    at = Math.min(at, Math.max(0, order.length - 1));
    stop(order[at]);
  };
  const speak = () => { live.textContent = model.get("said"); };
  model.on("change:scene", draw);
  model.on("change:said", speak);
  draw();
  return () => { model.off("change:scene", draw); model.off("change:said", speak); };
}
export default { render };
