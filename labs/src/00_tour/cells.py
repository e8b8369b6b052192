# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,lang
#     comment_magics: false
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] lang="en"
# # Lab 00 · Setup and tour
#
# You have a cluster. In the next 40 minutes you put a whole application on it from one file, break it, watch it come back,
# and learn to read the files that all of Kubernetes is made of.
#
# Each experiment has three beats: **predict** (pick an answer, a guess is fine), **run**, **explain**. Being wrong in the first
# beat is how the third one sticks.
# %% [markdown] lang="zh"
# # 实验 00 · 启程:集群与声明式
#
# 你已经有了一个集群。接下来的 40 分钟里,你会用一个文件把整个应用放上去,弄坏它,看它恢复,并学会阅读构成 Kubernetes 一切的那种文件。
#
# 每个实验都有三步:**预测**(选一个答案,猜也可以)、**运行**、**解释**。第一步猜错了,第三步才记得牢。

# %% [markdown] lang="en"
# ## 1 · Your cluster
#
# Is all well here? `labkit doctor` looks; we print only what it complains about.
# %% [markdown] lang="zh"
# ## 1 · 你的集群
#
# 这里一切正常吗?`labkit doctor` 会检查;我们只打印它不满意的地方。

# %%
!labkit doctor | grep -A 1 FAIL || echo "labkit doctor: no fault found"

# %%
lab.cluster

# %%
!kubectl get nodes -o custom-columns=NAME:.metadata.name,VERSION:.status.nodeInfo.kubeletVersion

# %% [markdown] lang="en"
# The word in brackets above names the **provider**: what stands behind the cluster. The labs are the same on all three.
#
# | | `embedded` | `kind` | `kubeconfig` |
# |---|---|---|---|
# | what it is | a simulated cluster behind the real API: `kubectl` does not notice | real Kubernetes, its nodes are containers | a cluster that somebody gave you |
# | it wants | nothing | Docker or Podman, and a minute or two | a kubeconfig |
# | it adds | a clock that can jump ahead, nodes that can be lost and repaired in seconds | the real thing: any image, real programs, real networks | what a workshop shares; one namespace is yours |
#
# `embedded` runs unless somebody chose otherwise: by the button above, in words (`kit.cluster(provider="kind")` in a cell,
# `labkit up --provider kind` in a terminal), by the variable `LABKIT_PROVIDER`, or earlier in this folder, which remembers the choice.
# To choose kind, press the button, then run the first cell of the notebook again. Nothing does it for you, and nothing is downloaded
# before you ask; the `kind` command itself comes by `labkit doctor --install kind`.
#
# In a terminal, `labkit status` shows which clusters run and where.
# %% [markdown] lang="zh"
# 上面括号里的词是**提供方(provider)**的名字:集群背后是什么。三种提供方上的实验都一样。
#
# | | `embedded` | `kind` | `kubeconfig` |
# |---|---|---|---|
# | 它是什么 | 真实 API 背后的模拟集群:`kubectl` 察觉不到 | 真正的 Kubernetes,节点是容器 | 别人给你的集群 |
# | 它需要 | 什么也不需要 | Docker 或 Podman,以及一两分钟 | 一份 kubeconfig |
# | 它增加 | 可以跳跃的时钟,几秒内丢失又修复的节点 | 真实的一切:任意镜像、真实的程序、真实的网络 | 课堂共享的环境;其中一个命名空间是你的 |
#
# 除非有人另作选择,否则运行的是 `embedded`:用上面的按钮、用命令(单元格里的 `kit.cluster(provider="kind")`,终端里的
# `labkit up --provider kind`)、用变量 `LABKIT_PROVIDER`,或以前在这个文件夹里选过;文件夹会记住选择。想用 kind,就按那个按钮,
# 然后重新运行笔记本的第一个单元格。不会有谁替你做,在你要求之前也不会下载任何东西;`kind` 命令本身用 `labkit doctor --install kind` 安装。
#
# 在终端里,`labkit status` 显示有哪些集群在运行、在哪里。

# %% [markdown] lang="en" tags=["seed:1", "seed:2", "seed:20"]
# ## 2 · What Kubernetes is
#
# The tutorial that this course grew from says: *an open-source container orchestration platform, to deploy, scale and manage
# containerised applications*. It then lists what Kubernetes does. We do not believe lists, we try them:
#
# | the tutorial says | we try it in |
# |---|---|
# | 1 it manages a container's life: deploy, run, scale, monitor, update | this lab, 07 |
# | 2 service discovery and load balancing | 03, 04 |
# | 3 storage | 06 |
# | 4 updates, and automatic rollback (really?) | 07 |
# | 5 you declare a state, Kubernetes makes it so | this lab, 10 |
# | 6 crashed containers are restarted | 01, 02 |
# | 7 it finds a node for every container | 01, 08 |
# | 8 passwords and configuration | 05 |
# | 9 its API can be extended | 11 |
# | 10 several clusters together | 11 |
#
# *Its goal is high availability, scalability and flexibility.* One thing it is not: it does not build your image. It runs images
# that exist.
# %% [markdown] lang="zh" tags=["seed:1", "seed:2", "seed:20"]
# ## 2 · Kubernetes 是什么
#
# 本课程所依据的教程说:*Kubernetes 是一个开源的容器编排平台,用于自动化部署、扩展和管理容器化应用程序。* 然后列出了它的特性。我们不轻信清单,我们动手验证:
#
# | 教程说 | 在哪里验证 |
# |---|---|
# | 1 管理容器的生命周期:部署、运行、扩展、监控和更新 | 本实验、07 |
# | 2 服务发现和负载均衡 | 03、04 |
# | 3 存储编排 | 06 |
# | 4 更新,以及自动回滚(真的吗?) | 07 |
# | 5 你声明状态,Kubernetes 让它成真 | 本实验、10 |
# | 6 容器崩溃会自动重启 | 01、02 |
# | 7 自动为容器找节点 | 01、08 |
# | 8 密钥和配置管理 | 05 |
# | 9 API 可以扩展 | 11 |
# | 10 多个集群联合 | 11 |
#
# *它的设计目标是高可用性、可扩展性和灵活性。* 有一件事它不做:它不会构建你的镜像。它运行已经存在的镜像。

# %% [markdown] lang="en" tags=["seed:1", "seed:2"]
# ## 3 · The whole game
#
# A guestbook: an app in two copies, and a database. One file says all of it: four objects, each between two lines `---`.
# %% [markdown] lang="zh" tags=["seed:1", "seed:2"]
# ## 3 · 先玩一整局
#
# 一个留言板:应用有两个副本,还有一个数据库。一个文件说明了全部:四个对象,用 `---` 隔开。

# %%
!grep -E "^kind|^  name:|replicas|image:" $MANIFESTS/guestbook-all.yaml

# %%
!kubectl apply -f $MANIFESTS/guestbook-all.yaml
lab.wait("deployment/db available", within="120s"), lab.wait("deployment/web available", within="120s")

# %%
!kubectl get deployments,services,pods -o name

# %%
lab.graph()

# %% [markdown] lang="en"
# Read the picture from above: you wrote two **Deployments** ("two copies of this, please"); they made **Pods** (by way of ReplicaSets);
# two **Services** give the Pods names that stay: `web` and `db`. You wrote no address anywhere.
#
# Does it work? A small Pod `shell` inside the cluster leaves a message and reads it again.
# %% [markdown] lang="zh"
# 从上往下看这张图:你写了两个 **Deployment**("这个要两份");它们(通过 ReplicaSet)创建了 **Pod**;
# 两个 **Service** 给 Pod 一个不变的名字:`web` 和 `db`。你没有在任何地方写过地址。
#
# 它能用吗?集群里的一个小 Pod `shell` 写入一条留言,再读出来。

# %%
!kubectl run shell --image=busybox:1.37 --command -- sleep 36000
lab.wait("pod/shell ready", within="120s")

# %%
!kubectl exec shell -- wget -q -O /dev/null --post-data "hello from lab 00" http://web/api/messages
!kubectl exec shell -- wget -q -O - http://web/api/messages | grep -o "hello from lab 00"

# %% [markdown] lang="en" tags=["seed:20"]
# ### E0.1 · One copy dies
#
# A **prober** asks `web` again and again from inside the cluster, and writes down every answer. Then we delete one of the two
# Pods.
# %% [markdown] lang="zh" tags=["seed:20"]
# ### E0.1 · 一个副本死了
#
# **探测器**在集群内部不停地访问 `web`,并记下每一个应答。然后我们删除两个 Pod 中的一个。

# %% tags=["predict"]
lab.predict("E0.1")

# %%
strip = lab.probe("http://web/whoami")
strip

# %%
!kubectl delete $(kubectl get pods -l app=guestbook,tier=web -o name | head -n 1)
lab.wait("deployment/web available", within="120s")

# %%
!kubectl get pods -l app=guestbook,tier=web -o name

# %% tags=["predict"]
lab.predict("E0.1").explain()

# %% [markdown] lang="en" tags=["seed:2"]
# The strip is *monitoring* in its smallest form. `deploy`, `run` and `monitor` are done; `scale` comes in E0.3. Here is `update`: another version
# of the app, while the prober goes on.
# %% [markdown] lang="zh" tags=["seed:2"]
# 这条记录就是最小的*监控*。`部署`、`运行`、`监控`都做过了;`扩展`在 E0.3。这里是`更新`:换成应用的另一个版本,探测器继续工作。

# %%
!kubectl set image deployment/web web=guestbook:v2
lab.wait("deployment/web updated", within="120s")
!kubectl rollout status deployment/web --timeout=10s
!kubectl get deployment web -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[0].image,AVAILABLE:.status.availableReplicas

# %%
# Back to what the file says; the prober may rest.
# zh: 回到文件所说的样子;探测器可以休息了。
!kubectl apply -f $MANIFESTS/guestbook-all.yaml
lab.wait("deployment/web updated", within="120s")
strip.stop()
strip

# %% [markdown] lang="en" tags=["seed:6"]
# ## 4 · You say what, not how
#
# The tutorial says: *you declare the state the system should have; Kubernetes turns the current state into it.* So the file is no
# list of steps. What happens, then, when the same file is applied once more?
# %% [markdown] lang="zh" tags=["seed:6"]
# ## 4 · 你说要什么,而不是怎么做
#
# 教程说:*用户可以声明系统应有的状态,Kubernetes 会自动将当前状态变更为期望状态。* 所以这个文件不是一串步骤。那么,把同一个文件再应用一次,会怎样?

# %% tags=["predict"]
lab.predict("E0.2")

# %%
before = !kubectl get deployment web -o jsonpath={.metadata.resourceVersion}
!kubectl apply -f $MANIFESTS/guestbook-all.yaml
after = !kubectl get deployment web -o jsonpath={.metadata.resourceVersion}
print("the same resourceVersion:", before == after)

# %% tags=["predict"]
lab.predict("E0.2").explain()

# %% [markdown] lang="en" tags=["seed:6"]
# Now somebody changes the cluster by hand: five copies. Later somebody else applies the file, which says two.
# %% [markdown] lang="zh" tags=["seed:6"]
# 现在有人手工修改了集群:五个副本。后来另一个人应用了文件,文件里写的是两个。

# %% tags=["predict"]
lab.predict("E0.3")

# %%
!kubectl scale deployment web --replicas=5
lab.wait("deployment/web available", within="120s")

# %%
!kubectl get deployment web -o custom-columns=NAME:.metadata.name,WANTED:.spec.replicas,AVAILABLE:.status.availableReplicas

# %%
!kubectl apply -f $MANIFESTS/guestbook-all.yaml
lab.wait("deployment/web updated", within="120s")

# %%
!kubectl get deployment web -o custom-columns=NAME:.metadata.name,WANTED:.spec.replicas,AVAILABLE:.status.availableReplicas

# %% tags=["predict"]
lab.predict("E0.3").explain()

# %% [markdown] lang="en"
# Every object has two halves: **spec**, what is wanted (yours), and **status**, what is (the cluster's). Can we simply write a
# better status? First as you would change anything else, then to the status itself (`--subresource=status`), and last a lie that fits together.
# %% [markdown] lang="zh"
# 每个对象都有两半:**spec** 是想要的(你的),**status** 是实际的(集群的)。我们能不能直接写一个更好的 status?
# 先像修改别的东西那样改,再直接改 status(`--subresource=status`),最后写一个前后一致的谎话。

# %% tags=["predict"]
lab.predict("E0.4")

# %%
!kubectl patch deployment web --type=merge -p '{"status": {"availableReplicas": 99}}'

# %%
!kubectl patch deployment web --subresource=status --type=merge -p '{"status": {"availableReplicas": 99}}'

# %%
!kubectl patch deployment web --subresource=status --type=merge -p '{"status": {"replicas": 99, "readyReplicas": 99, "availableReplicas": 99}}'
lab.wait("deployment/web status.availableReplicas=2", within="30s")

# %%
!kubectl get deployment web -o custom-columns=NAME:.metadata.name,WANTED:.spec.replicas,AVAILABLE:.status.availableReplicas

# %% tags=["predict"]
lab.predict("E0.4").explain()

# %% [markdown] lang="en"
# ## 5 · A manifest has five parts
#
# | part | what it says | who writes it |
# |---|---|---|
# | `apiVersion` | which group and version of the API | you |
# | `kind` | which sort of object | you |
# | `metadata` | name, namespace, labels | you (and the cluster: uid, resourceVersion …) |
# | `spec` | what you want | you |
# | `status` | what is | the cluster |
#
# What may stand in a spec? The cluster knows; ask it. In a terminal, `kubectl explain pod.spec.containers` goes on and on.
# %% [markdown] lang="zh"
# ## 5 · 清单有五个部分
#
# | 部分 | 它说什么 | 谁来写 |
# |---|---|---|
# | `apiVersion` | API 的哪个组、哪个版本 | 你 |
# | `kind` | 哪一种对象 | 你 |
# | `metadata` | 名字、命名空间、标签 | 你(集群也写:uid、resourceVersion……) |
# | `spec` | 你想要什么 | 你 |
# | `status` | 实际是什么 | 集群 |
#
# spec 里可以写什么?集群知道,问它就行。在终端里,`kubectl explain pod.spec.containers` 可以一直看下去。

# %% tags=["nbval-ignore-output"]
!kubectl explain deployment.spec.replicas

# %% [markdown] lang="en"
# ### E0.5 · A typing mistake
#
# The Pod below says `restartPolice` where `restartPolicy` is meant.
# %% [markdown] lang="zh"
# ### E0.5 · 一个拼写错误
#
# 下面的 Pod 把 `restartPolicy` 写成了 `restartPolice`。

# %% tags=["predict"]
lab.predict("E0.5")

# %%
!cat $MANIFESTS/hello-pod.yaml
!kubectl apply -f $MANIFESTS/hello-pod.yaml 2>&1 | sed "s|$MANIFESTS/||"

# %% tags=["predict"]
lab.predict("E0.5").explain()

# %% [markdown] lang="en"
# **Exercise X0.3** `broken-3.yaml` has three faults. kubectl names one at a time; `--dry-run=server` asks the cluster without
# changing anything. Copy the file into the cell below the next one, repair it there, and apply it. Keep everything else as it is.
# %% [markdown] lang="zh"
# **练习 X0.3** `broken-3.yaml` 有三处错误。kubectl 每次指出一处;`--dry-run=server` 只询问集群,不做任何改动。把文件复制到再下面的单元格里,
# 在那里修好并应用。其他内容保持不变。

# %%
!cat $MANIFESTS/broken-3.yaml
!kubectl apply --dry-run=server -f $MANIFESTS/broken-3.yaml 2>&1 | sed "s|$MANIFESTS/||"

# %% tags=["task"]
%%apply
# BEGIN SOLUTION
apiVersion: v1
kind: Pod
metadata:
  name: site
  labels:
    app: site
spec:
  containers:
  - name: web
    image: nginx:1.30
    ports:
    - containerPort: 80
# END SOLUTION

# %% tags=["check"]
lab.check("X0.3")

# %% [markdown] lang="en" tags=["seed:1", "seed:2"]
# **Exercise X0.2** Now your own first Pod, from loose lines. Take the ones that belong to a Pod `hello` with the image
# `traefik/whoami:v1.11`, put them in order, indent them, and press Apply. Not every line belongs: some are the mistakes of this page.
# It works by keyboard too: Tab to a list, choose with the arrows, Tab to a button.
# %% [markdown] lang="zh" tags=["seed:1", "seed:2"]
# **练习 X0.2** 现在用零散的行拼出你自己的第一个 Pod。挑出属于 Pod `hello`(镜像 `traefik/whoami:v1.11`)的行,排好顺序,缩进,然后按"应用"。
# 并不是每一行都有用:有几行正是这一页上的错误。也可以用键盘:Tab 到列表,用方向键选择,再 Tab 到按钮。

# %% tags=["quiz"]
lab.quiz("X0.2")

# %% tags=["solution"]
lab.quiz("X0.2", answer="""
apiVersion: v1
kind: Pod
metadata:
  name: hello
spec:
  containers:
  - name: whoami
    image: traefik/whoami:v1.11
""")

# %% tags=["check"]
lab.check("X0.2")

# %% [markdown] lang="en"
# **Exercise X0.4** Here is a Pod of `web`, and who wrote which part of it (kubectl hides this unless asked). Somebody wrote `status.podIP`. Who?
# %% [markdown] lang="zh"
# **练习 X0.4** 这是 `web` 的一个 Pod,以及谁写了它的哪一部分(kubectl 平时不显示)。有谁写了 `status.podIP`。是谁?

# %%
pod = !kubectl get pods -l app=guestbook,tier=web -o name | head -n 1
!kubectl get {pod[0]} --show-managed-fields -o yaml | grep -E "manager:|subresource:|f:spec:|f:podIP:"

# %% tags=["quiz"]
lab.quiz("X0.4")

# %% tags=["solution"]
lab.quiz("X0.4", answer="kubelet")

# %% tags=["check"]
lab.check("X0.4")

# %% [markdown] lang="en" tags=["seed:19"]
# ## 6 · Namespaces
#
# The tutorial says: *a namespace isolates users or projects in one physical cluster.* It divides **names**: this lab works in
# `lab-00`, and another namespace may have its own `web`. It does not divide the network (lab 03 shows it), nor the nodes.
#
# **Exercise X0.1** Make a namespace `hello-k8s` with the label `course=k8s`.
# %% [markdown] lang="zh" tags=["seed:19"]
# ## 6 · 命名空间
#
# 教程说:*Namespace 用于在同一个物理集群中隔离不同的用户或项目。* 它划分的是**名字**:本实验在 `lab-00` 里工作,别的命名空间也可以有自己的 `web`。
# 它不划分网络(实验 03 会演示),也不划分节点。
#
# **练习 X0.1** 创建命名空间 `hello-k8s`,并带有标签 `course=k8s`。

# %% tags=["task"]
# BEGIN SOLUTION
!kubectl create namespace hello-k8s
!kubectl label namespace hello-k8s course=k8s
# END SOLUTION

# %% tags=["check"]
lab.check("X0.1")

# %% [markdown] lang="en"
# Three things to know for all labs:
#
# - `lab.reset()` makes this lab's namespace as new, however broken it is; `lab.restore("00:E0.3")` then does all that comes before E0.3 (or
#   any other name on the page) for you. `lab.undo()` takes back a fault of the lab.
# - `lab.hint("X0.1")` asks you a question first, then says where to look, then names the field.
# - The same notebook in Chinese is `zh/00_tour.ipynb`; what you did counts in both.
# %% [markdown] lang="zh"
# 所有实验都用得到的三件事:
#
# - `lab.reset()` 让本实验的命名空间恢复如初,不管坏成什么样;`lab.restore("00:E0.3")` 还会替你做完 E0.3(或页面上任何其他名字)之前的一切。
#   `lab.undo()` 撤销实验放入的故障。
# - `lab.hint("X0.1")` 先问你一个问题,再告诉你看哪里,最后说出字段名。
# - 同一个笔记本的英文版是上一级文件夹里的 `00_tour.ipynb`;你的进度两边通用。

# %% [markdown] lang="en"
# ## 7 · A fault to find
#
# `lab.break_("F0")` breaks something that is not in the cluster at all. kubectl will say *connection refused*. Is the cluster down? Ask
# `labkit doctor`, compare the server in your kubeconfig with the one that the cluster really has, then repair the kubeconfig.
# %% [markdown] lang="zh"
# ## 7 · 找出故障
#
# `lab.break_("F0")` 弄坏的东西根本不在集群里。kubectl 会说 *connection refused*。集群停了吗?问问 `labkit doctor`,
# 比较 kubeconfig 里的服务器与集群真正的服务器,然后修好 kubeconfig。

# %% tags=["break"]
lab.break_("F0")

# %%
!kubectl get pods 2>&1 | tail -n 1

# %%
# What kubectl is told. The cluster's own address is lab.cluster.connection.server
# zh: kubectl 得到的地址。集群自己的地址是 lab.cluster.connection.server
!kubectl config view --minify -o jsonpath={.clusters[0].cluster.server}

# %% tags=["nbval-ignore-output"]
!labkit doctor | grep clusters

# %% tags=["task"]
# BEGIN SOLUTION
name = !kubectl config view --minify -o jsonpath={.clusters[0].name}
!kubectl config set-cluster {name[0]} --server={lab.cluster.connection.server} > /dev/null
# END SOLUTION

# %% tags=["check"]
lab.check("F0")

# %% [markdown] lang="en"
# Repaired or not: this puts your kubeconfig back, so that the rest of the page works.
# %% [markdown] lang="zh"
# 不管修好没有:下面这一行把 kubeconfig 恢复原样,后面的内容才能继续。

# %%
lab.undo()

# %%
!kubectl get deployments -o name

# %% [markdown] lang="en"
# ## 8 · Quiz
# %% [markdown] lang="zh"
# ## 8 · 小测验

# %% tags=["quiz"]
lab.quiz("Q0")

# %% tags=["solution"]
lab.quiz("Q0", apply="again", status="cluster", wall="no", build="no")

# %% [markdown] lang="en"
# ## What you know now
#
# - A file says **what** you want. Applying it twice changes nothing; applying it after a change by hand brings its state back.
# - **spec** is yours, **status** is the cluster's. A controller compares the two, again and again, and acts.
# - Every manifest: `apiVersion`, `kind`, `metadata`, `spec`; the cluster adds `status`. Errors name the field: read them to the end.
# - *Connection refused* speaks about an address, not about your Pods.
#
# **Stretch** Make `hello` once more without YAML and without kubectl: `lab.cluster.official()` is the client for
# `kubernetes.client.CoreV1Api(...)`; delete the Pod first.
# %% [markdown] lang="zh"
# ## 你现在知道了
#
# - 文件说的是你想要**什么**。应用两次,什么也不变;有人手工改过之后再应用,就回到文件的状态。
# - **spec** 是你的,**status** 是集群的。控制器不停地比较两者,并采取行动。
# - 每份清单:`apiVersion`、`kind`、`metadata`、`spec`;集群加上 `status`。错误信息会说出字段名:请读到最后。
# - *Connection refused* 说的是地址,不是你的 Pod。
#
# **进阶** 不用 YAML,也不用 kubectl,再创建一次 `hello`:`lab.cluster.official()` 就是 `kubernetes.client.CoreV1Api(...)` 要的客户端;先删除那个 Pod。
