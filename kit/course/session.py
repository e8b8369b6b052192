"""One lab on one cluster: its namespace, checks, hints, predictions, quizzes and faults; `kit.notebook.lab` is its coat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kit.checks.disturbance import undo_left_behind
from kit.checks.report import Report
from kit.checks.text import Text
from kit.checks.world import World
from kit.client.capabilities import Control, control
from kit.client.connect import Connection, connect
from kit.client.objects import Object, Objects
from kit.client.wait import Ticker, ticker, wait
from kit.course import beside
from kit.course.catalog import Exercise, Fault, Lesson, Question
from kit.course.faults import TOPIC as FAULTS
from kit.course.faults import Faults
from kit.course.i18n import say
from kit.course.progress import Progress
from kit.course.quiz import Sheet
from kit.course.steps import Stage
from kit.course.terminal import environment
from kit.errors import BadInput, Status, Unavailable
from kit.providers.base import Handle

FURNISHED = "beside"  # which exercises the cluster beside was furnished for, by the uid of the namespace
_LABELS = {"course": "k8s-labs"}
_SWEPT = (
    "deployment",
    "statefulset",
    "daemonset",
    "job",
    "replicaset",
    "ingress",
    "service",
    "pod",
    "configmap",
    "secret",
)
_KEPT = {"kube-root-ca.crt", "kubernetes"}


@dataclass
class Session:
    """A lesson being worked through on the cluster of `handle`; `main` where that is the small one beside the learner's own."""

    lesson: Lesson
    handle: Handle
    lang: str
    progress: Progress
    main: Session | None = field(default=None, repr=False)
    _seeds: dict[str, int] = field(default_factory=dict, repr=False)
    _beside: Session | None = field(default=None, repr=False)

    @cached_property
    def connection(self) -> Connection:
        """Return the connection, its namespace being the lab's."""
        return connect(self.handle.kubeconfig, namespace=self.namespace)

    @cached_property
    def objects(self) -> Objects:
        """Return the objects of the lab's namespace."""
        return Objects(self.connection, self.namespace)

    @cached_property
    def control(self) -> Control | None:
        """Return the control surface where the provider has one."""
        return control(self.connection, self.handle.control)

    @cached_property
    def clock(self) -> Ticker:
        """Return the clock that waits count."""
        return ticker(self.control)

    @cached_property
    def variables(self) -> dict[str, str]:
        """Return the variables under which a shell reaches the lab."""
        return environment(Path(self.handle.kubeconfig), self.handle.name, self.namespace, self.lesson.manifests)

    @property
    def namespace(self) -> str:
        """Return the lab's namespace; on a shared cluster the learner's own."""
        return str(getattr(self.handle, "namespace", None) or self.lesson.namespace)

    @property
    def faults(self) -> Faults:
        """Return the faults of the lesson that this cluster can have."""
        home = self.main or self
        here = {name for name, fault in self.lesson.faults.items() if bool(home.lacks(fault.needs)) == bool(self.main)}
        return Faults(self.lesson, self.progress, frozenset(here))

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Let what is done meanwhile leave no answer and no check in the learner's progress; what it puts into clusters is noted."""
        kept, passing = self.progress, Progress(None)
        self._keep_progress(passing)
        try:
            yield
        finally:
            self._keep_progress(kept)
            for topic in (FAULTS, FURNISHED):
                for name, value in passing.all(self.lesson.number, topic).items():
                    kept.put(self.lesson.number, topic, name, value)

    def _keep_progress(self, progress: Progress) -> None:
        self.progress = progress
        if self._beside is not None:
            self._beside.progress = progress

    def place_of(self, name: str) -> Session:
        """Return where an exercise or a fault is done: on the learner's cluster, or beside it when that lacks what it needs."""
        home = self.main or self
        known = self.lesson.task(name)
        lacking = home.lacks(known.needs) if known else ()
        if known is None or not lacking:
            return home
        if missing := beside.lacking("embedded", lacking):
            raise Unavailable(say("lab.needs", self.lang, exercise=name, needs=self._words(missing)))
        return home._opened_beside(known)

    def why_beside(self, name: str) -> str:
        """Return the sentence that tells the learner where they work now, and why."""
        home, known = self.main or self, self.lesson.task(name)
        needs = self._words(home.lacks(known.needs) if known else ())
        here = {"cluster": self.handle.name, "path": self.variables["KUBECONFIG"], "provider": home.handle.provider}
        return say("beside.here", self.lang, exercise=name, needs=needs, **here)

    def open(self) -> list[str]:
        """Make the namespace and furnish it when it is new; undo what an interrupted check left. Its names are returned."""
        if self._ensure_namespace():
            self.faults.forget()
            self.stage().play(self.lesson.setup)
            return []
        return undo_left_behind(self.objects)

    def reset(self) -> None:
        """Make the namespace as new; may be given again."""
        self.stage().play(self.lesson.data.get("cleanup") or [])
        if self.control is not None:
            self.control.reset([self.namespace])
        elif self.handle.provider == "kubeconfig":
            self._sweep()
        else:
            self._delete_namespace()
        self.faults.forget()
        self._ensure_namespace()
        self.stage().play(self.lesson.setup)
        if self._beside is not None:
            self._beside.reset()

    def undo(self) -> list[str]:
        """Take back every fault that is in, wherever it is; return their names."""
        noted = (self.main or self).progress.all(self.lesson.number, FAULTS)
        places = {id(place): place for name in noted for place in [self.place_of(name)]}
        return sorted(name for place in places.values() for name in place.faults.undo(place.stage()))

    def check(self, exercise: str) -> Report:
        """Run a check; its state is kept in the progress."""
        world = self.world()
        traps = self.lesson.exercises[exercise].sentences if exercise in self.lesson.exercises else {}
        report = self.lesson.checks.run(exercise, world, traps, self.lang)
        self.progress.put(self.lesson.number, "checks", exercise, report.state.value)
        return report

    def hint(self, exercise: str, tier: int | None = None) -> tuple[int, Text] | None:
        """Return the next hint (or that of `tier`) for what fails now, None when nothing fails."""
        known = self.lesson.task(exercise)
        if known is None:
            names = ", ".join((*self.lesson.exercises, *self.lesson.faults))
            raise BadInput(f"there is no exercise {exercise} in this lab", f"it has {names}")
        report = self.check(exercise)
        if report.passed:
            return None
        taken = int(self.progress.get(self.lesson.number, "hints", exercise) or 0)
        chosen = min(max(tier or taken + 1, 1), 3)
        self.progress.put(self.lesson.number, "hints", exercise, max(taken, chosen))
        return chosen, known.hints.of(report, chosen)

    def prediction(self, name: str) -> Question:
        """Return a prediction's question."""
        if name not in self.lesson.predictions:
            raise BadInput(
                f"lab {self.lesson.number} has no prediction {name}", f"it has {', '.join(self.lesson.predictions)}"
            )
        return self.lesson.predictions[name]

    def predicted(self, name: str) -> str | None:
        """Return the option chosen for a prediction."""
        found: str | None = self.progress.get(self.lesson.number, "predictions", name)
        return found

    def predict(self, name: str, option: str) -> None:
        """Choose an option of a prediction."""
        self.prediction(name).option(option)
        self.progress.put(self.lesson.number, "predictions", name, option)

    def outcome(self, name: str) -> str:
        """Return the option that came true, empty when there is nothing to see yet."""
        question = self.prediction(name)
        observer = self.lesson.checks.observers.get(name)
        if observer is None:
            return question.answer
        world = self.world()
        try:
            return observer(world)
        finally:
            world.leave()

    def sheet(self, quiz: str) -> Sheet:
        """Return a quiz with the answers so far."""
        if quiz not in self.lesson.quizzes:
            raise BadInput(f"lab {self.lesson.number} has no quiz {quiz}", f"it has {', '.join(self.lesson.quizzes)}")
        return Sheet(quiz, self.lesson.quizzes[quiz], self.answers, self.lang)

    @property
    def answers(self) -> dict[str, str]:
        """Return the answers to questions, by question id."""
        return self.progress.all(self.lesson.number, "answers")

    def answer(self, question: str, option: str) -> None:
        """Answer a question."""
        known = {item.id: item for items in self.lesson.quizzes.values() for item in items}
        if question not in known:
            raise BadInput(f"lab {self.lesson.number} has no question {question}", f"it has {', '.join(known)}")
        known[question].option(option)
        self.progress.put(self.lesson.number, "answers", question, option)

    def world(self) -> World:
        """Return the cluster as a check sees it, with a nonce of its own."""
        count = self._seeds["nonce"] = self._seeds.get("nonce", 0) + 1
        return World(self.objects, self.clock, self.answers, f"note-{self.lesson.number}-{self._mark()}-{count}")

    def stage(self) -> Stage:
        """Return where scripts act."""
        return Stage(self.world(), self.lesson.manifests, self.variables, self.answer)

    def lacks(self, needs: tuple[str, ...]) -> tuple[str, ...]:
        """Return which needs the provider does not meet."""
        return beside.lacking(self.handle.provider, needs)

    def _opened_beside(self, known: Exercise | Fault) -> Session:
        """Return the session on the cluster beside (started anew if it ended), furnished as an exercise finds it."""
        handle = beside.start(self.handle.name)
        if self._beside is None or self._beside.handle != handle:
            self._beside = Session(self.lesson, handle, self.lang, self.progress, main=self)
            self._beside.open()
        if isinstance(known, Exercise) and known.start:
            self._beside._furnish(known)
        return self._beside

    def _furnish(self, exercise: Exercise) -> None:
        """Do what an exercise begins with, once for each namespace: what the learner did since stays."""
        uid = self.objects.get("namespace", self.namespace)["metadata"]["uid"]
        if self.progress.get(self.lesson.number, FURNISHED, exercise.id) != uid:
            self.stage().play(exercise.start)
            self.progress.put(self.lesson.number, FURNISHED, exercise.id, uid)

    def _words(self, needs: tuple[str, ...]) -> str:
        return ", ".join(say(f"need.{need}", self.lang) for need in needs)

    def _mark(self) -> str:
        """Return what makes nonces of two kernels differ: the namespace's revision (the same in two runs with one seed)."""
        found = self.objects.find("namespace", self.namespace) or {}
        return str(found.get("metadata", {}).get("resourceVersion", "0"))

    def _ensure_namespace(self) -> bool:
        """Make the namespace with its default ServiceAccount; tell whether it is new."""
        found = self.objects.find("namespace", self.namespace)
        if found and found.get("status", {}).get("phase") == "Terminating":
            self._await_gone()
            found = None
        if found is None:
            body: Object = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": self.namespace, "labels": _LABELS},
            }
            self.objects.create(body)
        if not wait(lambda: self.objects.find("serviceaccount", "default"), "30s", self.clock):
            raise Unavailable(f"namespace {self.namespace} got no ServiceAccount", "labkit doctor looks for the cause")
        return found is None

    def _delete_namespace(self) -> None:
        """Delete the namespace; its Pods at once, for a shell that sleeps takes no notice of SIGTERM."""
        for item in self.objects.list("pod"):
            self._remove("pod", item["metadata"]["name"])
        if self.objects.delete("namespace", self.namespace):
            self._await_gone()

    def _await_gone(self) -> None:
        if not wait(lambda: self.objects.find("namespace", self.namespace) is None or None, "120s", self.clock):
            raise Unavailable(
                f"namespace {self.namespace} is still being deleted",
                f"kubectl describe namespace {self.namespace} names what holds it",
            )

    def _sweep(self) -> None:
        """Empty a namespace that is not ours to delete."""
        for kind in _SWEPT:
            for item in self.objects.list(kind):
                if item["metadata"]["name"] not in _KEPT:
                    self._remove(kind, item["metadata"]["name"])

    def _remove(self, kind: str, name: str) -> None:
        try:
            self.objects.delete(kind, name, grace_s=0 if kind == "pod" else None)
        except Status as error:
            if error.code != 403:
                raise
