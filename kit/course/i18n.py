"""The kit's own sentences to a learner, in English and Chinese; API nouns (Pod, Service …) stay as they are."""

from __future__ import annotations

from typing import Any

from kit.checks.text import Text

STRINGS: dict[str, Text] = {
    "lab.ready": Text(
        "Lab {number} · {title} ({minutes} min). Namespace {namespace} on the {provider} cluster.",
        "实验 {number} · {title}({minutes} 分钟)。命名空间 {namespace},集群提供方 {provider}。",
    ),
    "lab.undone": Text(
        "A check had been interrupted; what it disturbed is as it was.", "上次的检查被中断;它造成的扰动已经恢复。"
    ),
    "lab.binder": Text(
        "You are on Binder: after ten idle minutes all your work is lost. Download the notebook and {progress} before you leave.",
        "你正在 Binder 上:闲置十分钟后所有内容都会丢失。离开前请下载笔记本和 {progress}。",
    ),
    "lab.reset": Text("Namespace {namespace} is as new.", "命名空间 {namespace} 已恢复如初。"),
    "lab.needs": Text(
        "{exercise} needs {needs}, which the {provider} cluster does not have. "
        'kit.cluster(provider="embedded") starts a small cluster that has it.',
        '{exercise} 需要 {needs},而 {provider} 集群没有。kit.cluster(provider="embedded") 会启动一个具备它的小集群。',
    ),
    "predict.todo": Text(
        "TODO {id}: {question} Pick an answer before you run the next cell.",
        "TODO {id}:{question}请先选好答案,再运行下一个单元格。",
    ),
    "predict.done": Text("{id}: {question} You say: {choice}", "{id}:{question}你的预测:{choice}"),
    "predict.happened": Text("{id}: what happened: {outcome}", "{id}:实际发生的是:{outcome}"),
    "predict.right": Text("You predicted it.", "你预测对了。"),
    "predict.wrong": Text("You predicted: {choice} {says}", "你的预测是:{choice} {says}"),
    "predict.none": Text("You made no prediction this time.", "这次你没有预测。"),
    "predict.early": Text(
        "{id}: run the cells above first, then look again.", "{id}:请先运行上面的单元格,再来看结果。"
    ),
    "quiz.todo": Text(
        "TODO {id}: {left} of {total} questions unanswered", "TODO {id}:{total} 题中还有 {left} 题未回答"
    ),
    "quiz.score": Text("{id}: {right} of {total} right", "{id}:{total} 题中答对 {right} 题"),
    "board.todo": Text(
        "TODO {id}: {question} Choose lines, order and indent them, then press Apply:",
        "TODO {id}:{question}请选出需要的行,排好顺序并缩进,然后按“应用”:",
    ),
    "board.sent": Text("{id}: what you applied:", "{id}:你应用的内容:"),
    "board.empty": Text("nothing to apply: the board is empty", "没有可应用的内容:拼板是空的"),
    "hint.tier": Text("Hint {tier} of 3 for {exercise}: {hint}", "{exercise} 的提示 {tier}/3:{hint}"),
    "hint.passed": Text("{exercise} passes already: no hint needed.", "{exercise} 已经通过,不需要提示。"),
    "fault.injected": Text("{id} is in place. Symptom: {symptom}", "{id} 已就位。现象:{symptom}"),
    "fault.undone": Text("Taken back: {ids}", "已撤销:{ids}"),
    "fault.none": Text("Nothing to take back.", "没有需要撤销的东西。"),
    "wait.met": Text("{what}: yes", "{what}:是"),
    "wait.over": Text("{what}: not within {within}; now: {observed}", "{what}:在 {within} 内没有发生;现在:{observed}"),
    "advance": Text("{time} of cluster time passed.", "集群时间过去了 {time}。"),
    "apply.todo": Text(
        "TODO: nothing to apply yet; write your YAML in this cell.", "TODO:还没有可应用的内容;请在此单元格中写 YAML。"
    ),
    "http.refused": Text("refused: nothing listens at {where}", "refused:{where} 没有程序在监听"),
    "http.timeout": Text(
        "timeout: no answer from {where} within {seconds} s", "timeout:{where} 在 {seconds} 秒内没有应答"
    ),
    "http.no route": Text("no route: {where} can't be reached from here", "no route:从这里无法到达 {where}"),
    "http.NXDOMAIN": Text("NXDOMAIN: no such name: {where}", "NXDOMAIN:没有这个名字:{where}"),
    "progress.damaged": Text(
        "Your progress file was damaged; it is kept as {path}, and a new one begins.",
        "你的进度文件已损坏;它被保留为 {path},并开始一个新的文件。",
    ),
    "restore.none": Text(
        "{name} can't be restored: no checkpoint of that name.", "无法恢复 {name}:没有这个名字的检查点。"
    ),
}


def say(key: str, lang: str, **values: Any) -> str:
    """Return one of the kit's sentences in `lang`, with its values filled in."""
    return STRINGS[key].format(**values).of(lang)
