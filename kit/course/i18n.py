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
        "{exercise} needs {needs}: no cluster of this version of the kit has that",
        "{exercise} 需要{needs}:本版本的 kit 没有任何集群具备",
    ),
    "need.nodes": Text("nodes that are yours to change", "可以由你改动的节点"),
    "need.cluster": Text("rights beyond one namespace", "超出单个命名空间的权限"),
    "need.clock": Text("a clock that can be moved", "可以拨动的时钟"),
    "need.faults": Text("parts that can be switched off", "可以关掉的组件"),
    "beside.here": Text(
        "{exercise} needs {needs}, which your {provider} cluster does not offer. From here on this notebook (kubectl, %%apply "
        "and lab) works on {cluster}, a small embedded cluster beside it, until you run a cell of another part.\n"
        "In a terminal, kubectl reaches it after: export KUBECONFIG={path}",
        "{exercise} 需要{needs},而你的 {provider} 集群不提供。从这里起,本笔记本(kubectl、%%apply 和 lab)"
        "在旁边的小型 embedded 集群 {cluster} 上工作,直到你运行其他部分的单元格。\n"
        "在终端里,先执行 export KUBECONFIG={path},kubectl 就能访问它",
    ),
    "beside.back": Text("Back on your {provider} cluster.", "回到你的 {provider} 集群。"),
    "switch.button": Text("Switch to {provider}", "切换到 {provider}"),
    "switch.kind": Text(
        "Real Kubernetes in containers: wants Docker or Podman and the kind command, takes a minute or two, and downloads the nodes' "
        "image (about 1 GB) if it is not here yet.",
        "容器中的真实 Kubernetes:需要 Docker 或 Podman 以及 kind 命令,要一两分钟;如果本机还没有节点镜像,会下载它(约 1 GB)。",
    ),
    "switch.embedded": Text(
        "The simulated cluster: starts in a second and wants nothing.", "模拟集群:一秒钟启动,什么也不需要。"
    ),
    "switch.done": Text(
        "Cluster {name} ({provider}) answers, and this folder remembers it. Run the first cell of the notebook again.",
        "集群 {name}({provider})已就绪,这个文件夹会记住它。请重新运行笔记本的第一个单元格。",
    ),
    "switch.held": Text(
        "But LABKIT_PROVIDER is set to {provider}, which goes before what a folder remembers.",
        "但是变量 LABKIT_PROVIDER 设为 {provider},它优先于文件夹记住的选择。",
    ),
    "switch.failed": Text(
        "No {provider} cluster: {what}\n{next}\nYour cluster is as it was.",
        "没有 {provider} 集群:{what}\n{next}\n你的集群没有变化。",
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
        "TODO Nothing to apply yet: write your YAML in this cell.", "TODO 还没有可应用的内容:请在此单元格中写 YAML。"
    ),
    "http.refused": Text("refused: nothing listens at {where}", "refused:{where} 没有程序在监听"),
    "http.timeout": Text(
        "timeout: no answer from {where} within {seconds} s", "timeout:{where} 在 {seconds} 秒内没有应答"
    ),
    "http.no route": Text("no route: {where} can't be reached from here", "no route:从这里无法到达 {where}"),
    "http.reset": Text("reset: {where} broke the connection off", "reset:{where} 中断了连接"),
    "http.protocol": Text(
        "protocol: what {where} answers is not what the address asks for (http or https?)",
        "protocol:{where} 的应答与地址所要求的协议不符(http 还是 https?)",
    ),
    "http.certificate": Text(
        "certificate: {where} shows a certificate that is not trusted here",
        "certificate:{where} 出示的证书在这里不受信任",
    ),
    "http.NXDOMAIN": Text("NXDOMAIN: no such name: {where}", "NXDOMAIN:没有这个名字:{where}"),
    "progress.damaged": Text(
        "Your progress file was damaged; it is kept as {path}, and a new one begins.",
        "你的进度文件已损坏;它被保留为 {path},并开始一个新的文件。",
    ),
    "restore.step": Text("restoring {name}: cell {done} of {all}", "正在恢复 {name}:第 {done} 个单元格,共 {all} 个"),
    "restore.done": Text(
        "Namespace {namespace} is as {name} finds it. Go on with the cell of {name}.",
        "命名空间 {namespace} 已是 {name} 开始时的样子。请从 {name} 的单元格继续。",
    ),
}


def say(key: str, lang: str, **values: Any) -> str:
    """Return one of the kit's sentences in `lang`, with its values filled in."""
    return STRINGS[key].format(**values).of(lang)
