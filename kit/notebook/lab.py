"""The object a cell holds: `lab = kit.lab("01")`. Its members are all that a learner needs beside kubectl and YAML."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit.checks.conditions import Condition
from kit.checks.phrases import phrase
from kit.checks.probes import Prober
from kit.checks.registry import said
from kit.checks.report import Report, State
from kit.checks.text import NOTHING, Text
from kit.client.capabilities import missing
from kit.client.wait import milliseconds
from kit.client.watch import watch
from kit.course.catalog import load
from kit.course.folder import RECORD
from kit.course.i18n import say
from kit.course.progress import NAME, Progress
from kit.course.session import Session
from kit.course.terminal import state_folder
from kit.errors import BadInput, KitError, Status
from kit.notebook import outside
from kit.notebook.answers import Changes, HttpAnswer
from kit.notebook.board import Board
from kit.notebook.cluster import Cluster, opened, steps
from kit.notebook.following import stand
from kit.notebook.forms import Prediction, Quiz

BINDER = ("BINDER_SERVICE_HOST", "BINDER_REPO_URL")


class Lab:
    """One lab on one cluster."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def namespace(self) -> str:
        """Return the namespace this lab works in."""
        return self.session.namespace

    @property
    def cluster(self) -> Cluster:
        """Return the cluster this lab stands on."""
        return opened(self.session.handle, self.session.lang)

    def http(
        self, url: str, *, host: str | None = None, from_: str | None = None, method: str = "GET", body: str = ""
    ) -> HttpAnswer:
        """Send a request from outside the cluster, or out of the Pod that `from_` names; what goes wrong is in the answer."""
        outside.check_url(url)
        options = {"method": method, "body": body, "lang": self.session.lang}
        if self.session.control is not None:
            source = from_ if from_ is None or "/" in from_ else f"{self.namespace}/{from_}"
            return outside.by_control(self.session.control, url, host, source, options)
        if from_ is not None:
            return outside.by_pod(self.session.objects, url, host, from_, options)
        return outside.by_host(url, host, options)

    def url(self, name: str) -> str:
        """Return the address at which the Service `name` answers from this machine, or from this browser behind a hub."""
        service = self.session.objects.get("service", name)
        ports = [port["nodePort"] for port in service["spec"].get("ports") or [] if port.get("nodePort")]
        if not ports:
            raise BadInput(
                f"Service {name} has no node port",
                "only Services of type NodePort or LoadBalancer have an address outside",
            )
        opened_here = self.session.control.ports() if self.session.control else self.session.handle.ports
        here = next((entry["host_port"] for entry in opened_here if entry["port"] == ports[0]), None)
        if here is None:
            return f"http://{_node_address(self.session)}:{ports[0]}"
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
        return f"{prefix.rstrip('/')}/proxy/{here}/" if prefix else f"http://127.0.0.1:{here}"

    def probe(self, url: str) -> Any:
        """Start a Pod that asks `url` for ever; its log is the record, shown as a strip."""
        from kit.widgets import ProbeStrip

        outside.check_url(url)
        prober = Prober(self.session.objects, self.session.clock, url).start()
        return ProbeStrip(prober)

    def wait(self, what: str | Condition, within: str = "30s") -> Met:
        """Wait for `"pod/web ready"`, `"pod/db gone"` …, at most `within` of cluster time."""
        condition = phrase(what) if isinstance(what, str) else what
        world = self.session.world()
        last = [condition.look(world)]

        def look() -> bool | None:
            last[0] = condition.look(world)
            return last[0].ok or None

        try:
            met = bool(world.wait(look, within))
        finally:
            world.leave()
        return Met(met, condition.wanted, last[0].observed, within, self.session.lang)

    def advance(self, time: str) -> None:
        """Let cluster time jump ahead: `lab.advance("5m")`."""
        if self.session.control is None:
            raise missing("clock", self.session.handle.provider)
        self.session.control.advance(milliseconds(time))
        _print(say("advance", self.session.lang, time=time))

    def watch(self, kind: str = "pods", within: str = "10s") -> Changes:
        """Let `within` of cluster time pass and return what changed meanwhile, in order."""
        session = self.session
        started, limit = session.clock.now_ms(), milliseconds(within)
        resource = session.objects.resources.find(kind)
        listing = session.connection.json("GET", resource.path(self.namespace))
        while (left := started + limit - session.clock.now_ms()) > 0:
            session.clock.let_pass(left)
        since = int(listing["metadata"]["resourceVersion"])
        return Changes(list(watch(session.objects, kind, timeout_s=1, since=since)))

    def graph(self) -> Any:
        """Return the live map of the namespace; `.dot` is a `graphviz.Digraph`."""
        from kit.widgets import ClusterMap

        return ClusterMap(self.session.connection, self.namespace, lang=self.session.lang)

    def board(self) -> Any:
        """Return the placement board: nodes with their Pods and what they request."""
        from kit.widgets import PlacementBoard

        return PlacementBoard(self.session.connection, self.namespace, lang=self.session.lang)

    def predict(self, name: str, answer: str | None = None) -> Prediction:
        """Ask for a prediction (`answer` gives one without a mouse); `.explain()` compares after the run."""
        if answer is not None:
            self.session.predict(name, answer)
        return Prediction(self.session, name)

    def check(self, exercise: str) -> Report:
        """Check an exercise; the Report says what holds and what does not."""
        try:
            return stand(self, exercise).check(exercise)
        except (KitError, Status) as error:
            return Report(exercise, State.ERROR, sentence=said(error), lang=self.session.lang)

    def hint(self, exercise: str, tier: int | None = None) -> Note:
        """Return the next hint for what fails: a question, then where to look, then the field's name."""
        found = stand(self, exercise).hint(exercise, tier)
        if found is None:
            return Note(say("hint.passed", self.session.lang, exercise=exercise))
        return Note(say("hint.tier", self.session.lang, tier=found[0], exercise=exercise, hint=found[1]))

    def quiz(self, name: str, **answers: str) -> Quiz | Board:
        """Ask a quiz; a single question takes its answer as `answer=`, a quiz by the names of its items, a board its manifest."""
        if name in self.session.lesson.puzzles:
            return Board.opened(self.session, name, answers)
        for item, option in answers.items():
            self.session.answer(name if item == "answer" else item, option)
        return Quiz(self.session, name)

    def break_(self, fault: str) -> Note:
        """Put a fault into your namespace: find it, then repair it."""
        found = self.session.faults.find(fault)
        session = stand(self, fault)
        session.faults.inject(fault, session.stage())
        return Note(say("fault.injected", session.lang, id=fault, symptom=found.symptom))

    def undo(self) -> Note:
        """Take every fault back."""
        names = self.session.undo()
        key = "fault.undone" if names else "fault.none"
        return Note(say(key, self.session.lang, ids=", ".join(names)))

    def reset(self) -> Note:
        """Make the namespace as new; may be given again."""
        home = stand(self, "")
        home.reset()
        return Note(say("lab.reset", home.lang, namespace=home.namespace))

    def restore(self, name: str) -> Note:
        """Bring the lab to where a part of it begins, all before it done: `lab.restore("01:E1.4")`, `lab.restore("01:start")`."""
        from kit.notebook.replay import restore

        return Note(restore(self, name, steps() or (lambda message: None)))

    def __repr__(self) -> str:
        session = self.session
        return say(
            "lab.ready",
            session.lang,
            number=session.lesson.number,
            title=session.lesson.title,
            minutes=session.lesson.minutes,
            namespace=self.namespace,
            provider=session.handle.provider,
        )


class Note:
    """A sentence to the learner."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Met(Note):
    """The end of a wait; true when what was waited for came."""

    def __init__(self, met: bool, what: Text, observed: Text, within: str, lang: str) -> None:
        key = "wait.met" if met else "wait.over"
        super().__init__(say(key, lang, what=what, within=within, observed=observed or NOTHING))
        self.met = met

    def __bool__(self) -> bool:
        return self.met


def lab(number: str | int, lang: str | None = None) -> Lab:
    """Open a lab: connect to the cluster (starting one if none runs), make the lab's namespace, prepare kubectl and `%%apply`."""
    from kit.providers import choose

    lesson = load().find(number)
    handle = choose.connect()
    chosen = lang or os.environ.get("LABKIT_LANG") or "en"
    session = Session(lesson, handle, chosen, Progress(None))
    session.progress = _progress(session)
    if session.progress.damaged:
        _print(say("progress.damaged", chosen, path=session.progress.damaged.name))
    if any(os.environ.get(name) for name in BINDER):
        _print(say("lab.binder", chosen, progress=NAME))
    if session.open():
        _print(say("lab.undone", chosen))
    os.environ.update(session.variables)
    _extend_shell()
    return Lab(session)


def _progress(session: Session) -> Progress:
    """Return the learner's progress; a settled cluster (course tests) keeps none, so that every run is the same."""
    if session.control is not None and session.control.clock().mode == "settled":
        return Progress(None)
    given = os.environ.get("LABKIT_FOLDER")
    here = Path.cwd()
    folder = (
        Path(given)
        if given
        else next((place for place in (here, *here.parents) if (place / RECORD).is_file()), state_folder())
    )
    return Progress(folder / NAME)


def _extend_shell() -> None:
    if "IPython" not in sys.modules:
        return
    from IPython.core.getipython import get_ipython

    from kit.notebook.magics import load_ipython_extension

    shell = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
    if shell is not None:
        load_ipython_extension(shell)


def _node_address(session: Session) -> str:
    for node in session.objects.list("node"):
        for address in node.get("status", {}).get("addresses") or []:
            if address["type"] == "InternalIP":
                return str(address["address"])
    return urlsplit(session.connection.server).hostname or "127.0.0.1"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
