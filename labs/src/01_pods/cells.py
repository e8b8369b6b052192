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
# # Lab 01 · Nodes and Pods
#
# A **Node** is a machine. A **Pod** is what Kubernetes puts on it. In this lab you make Pods, ask what happens when they
# crash, are deleted or find no room, and look whether you were right.
#
# Each experiment has three beats: **predict** (pick an answer, a guess is fine), **run**, **explain**. Being wrong in the first
# beat is how the third one sticks.
# %% [markdown] lang="zh"
# # 实验 01 · 节点与 Pod
#
# **Node(节点)** 是一台机器,**Pod** 是 Kubernetes 放到机器上的东西。在本实验中,你会创建 Pod,预测它们崩溃、被删除或没有位置时会发生什么,
# 然后看看自己说对了没有。
#
# 每个实验都有三步:**预测**(选一个答案,猜也可以)、**运行**、**解释**。第一步猜错了,第三步才记得牢。

# %% [markdown] lang="en" tags=["seed:13", "seed:21"]
# ## 1 · Nodes
#
# The tutorial says: *a node is a physical or virtual machine, and it runs one or more Pods.* Let us look.
# %% [markdown] lang="zh" tags=["seed:13", "seed:21"]
# ## 1 · 节点
#
# 教程说:*一个节点就是一个物理机或者虚拟机,在这个节点上我们可以运行一个或多个 Pod。* 我们来看看。

# %%
!kubectl get nodes -L disk

# %%
lab.board()

# %% [markdown] lang="en"
# One node is the **control plane**: it carries the cluster's own programs and a *taint* that keeps ordinary Pods away. One worker
# carries the label `disk=ssd`; we need it later.
# %% [markdown] lang="zh"
# 其中一个节点是**控制平面**:它运行集群自己的程序,并带有一个让普通 Pod 不要靠近的*污点*。有一个工作节点带有标签 `disk=ssd`,后面会用到。

# %% [markdown] lang="en" tags=["seed:14"]
# ## 2 · A Pod
#
# A Pod is the smallest thing that Kubernetes schedules: one or more containers that live together. You write down what you want:
# `apiVersion` and `kind` (what is it), `metadata` (what is it called), `spec` (what should it be).
#
# **Exercise X1.1** Our guestbook needs a database. Make a Pod `db` that runs the image `redis:8` and has the label `tier: db`.
# `%%apply` sends the YAML of its cell to the cluster, as `kubectl apply -f` does with a file.
# %% [markdown] lang="zh" tags=["seed:14"]
# ## 2 · Pod
#
# Pod 是 Kubernetes 调度的最小单元:一个或多个在一起的容器。你写下你想要的:
# `apiVersion` 和 `kind`(它是什么)、`metadata`(它叫什么)、`spec`(它应该是什么样)。
#
# **练习 X1.1** 我们的留言板需要一个数据库。创建名为 `db` 的 Pod,运行镜像 `redis:8`,并带有标签 `tier: db`。
# `%%apply` 把单元格里的 YAML 发给集群,就像 `kubectl apply -f` 对文件所做的那样。

# %% tags=["task"]
%%apply
# BEGIN SOLUTION
apiVersion: v1
kind: Pod
metadata:
  name: db
  labels:
    tier: db
spec:
  containers:
  - name: redis
    image: redis:8
# END SOLUTION

# %% tags=["check"]
lab.check("X1.1")

# %% [markdown] lang="en"
# Stuck? `lab.hint("X1.1")` asks you a question first, then says where to look, then names the field. The next cell makes a `db`
# only if you have none yet (one without the label: the exercise stays yours).
# %% [markdown] lang="zh"
# 卡住了?`lab.hint("X1.1")` 先问你一个问题,再告诉你看哪里,最后说出字段名。下一个单元格只在你还没有 `db` 时才创建它(不带标签:练习仍然留给你)。

# %%
!kubectl get pod db --ignore-not-found -o name | grep -q . || kubectl apply -f $MANIFESTS/db-pod.yaml
lab.wait("pod/db ready", within="120s")

# %% [markdown] lang="en"
# ### E1.1 · Where does it go?
#
# Next comes the guestbook itself, the Pod `web`. Nothing in its YAML names a node.
# %% [markdown] lang="zh"
# ### E1.1 · 它会到哪里去?
#
# 接下来是留言板本身:Pod `web`。它的 YAML 里没有写任何节点。

# %% tags=["predict"]
lab.predict("E1.1")

# %%
# The guestbook must know where the database is, so we ask for the address of db.
# zh: 留言板必须知道数据库在哪里,所以先查 db 的地址。
db_ip = !kubectl get pod db -o jsonpath={.status.podIP}

# %%
%%apply --fill db_ip
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: guestbook
spec:
  containers:
  - name: web
    image: guestbook:v1
    ports:
    - containerPort: 8080
    env:
    - name: DB_HOST
      value: "$db_ip"
    - name: POD_IP
      valueFrom:
        fieldRef:
          fieldPath: status.podIP
    # The Pod counts as ready when it answers, not as soon as its program runs; lab 02 is about such probes.
    # zh: 能应答时,Pod 才算就绪,而不是程序一启动就算;实验 02 专讲这种探针。
    readinessProbe:
      httpGet:
        path: /healthz
        port: 8080
      periodSeconds: 1

# %%
lab.wait("pod/web ready", within="120s")

# %%
!kubectl get pods -o wide

# %% tags=["predict"]
lab.predict("E1.1").explain()

# %% [markdown] lang="en" tags=["seed:25", "seed:26"]
# ## 3 · The address of a Pod
#
# The tutorial says: *a Pod gets its IP when it is created; it is an address inside the cluster.* We ask `web` twice: from another
# Pod, and from outside. The other Pod is a `shell` with busybox in it.
# %% [markdown] lang="zh" tags=["seed:25", "seed:26"]
# ## 3 · Pod 的地址
#
# 教程说:*IP 地址是在 Pod 创建的时候自动分配的,它是一个集群内部的 IP 地址。* 我们访问 `web` 两次:一次从另一个 Pod,一次从集群外部。
# 另一个 Pod 叫 `shell`,里面是 busybox。

# %% tags=["predict"]
lab.predict("E1.2")

# %%
!kubectl run shell --image=busybox:1.37 --command -- sleep 36000
lab.wait("pod/shell ready", within="120s")

# %%
web_ip = !kubectl get pod web -o jsonpath={.status.podIP}
!kubectl exec shell -- wget -q -O - -T 3 http://{web_ip[0]}:8080/whoami

# %%
lab.http(f"http://{web_ip[0]}:8080/whoami")

# %% tags=["predict"]
lab.predict("E1.2").explain()

# %% [markdown] lang="en" tags=["seed:7", "seed:27"]
# ## 4 · Three kinds of death
#
# The tutorial says: *on a failure Kubernetes destroys the Pod and creates a new one, and the IP changes.* That is three
# different stories in one sentence. First: **the program crashes**. `GET /crash` makes the guestbook end with exit code 1.
# %% [markdown] lang="zh" tags=["seed:7", "seed:27"]
# ## 4 · 三种"死法"
#
# 教程说:*在发生故障的时候,Kubernetes 会自动销毁 Pod,重新创建新的 Pod 来代替它,IP 地址也会发生变化。* 这一句话里其实有三个不同的故事。
# 第一个:**程序崩溃**。`GET /crash` 会让留言板以退出码 1 结束。

# %% tags=["predict"]
lab.predict("E1.3")

# %%
!kubectl get pod web -o custom-columns=NAME:.metadata.name,IP:.status.podIP,RESTARTS:.status.containerStatuses[0].restartCount
!kubectl exec shell -- wget -q -O - -T 3 http://{web_ip[0]}:8080/crash || true
lab.wait("pod/web restarted", within="60s")

# %%
!kubectl get pod web -o custom-columns=NAME:.metadata.name,IP:.status.podIP,RESTARTS:.status.containerStatuses[0].restartCount

# %% tags=["predict"]
lab.predict("E1.3").explain()

# %% [markdown] lang="en" tags=["seed:27"]
# Second: **somebody deletes the Pod**. `db` was made from a bare Pod manifest, by nobody but you.
# %% [markdown] lang="zh" tags=["seed:27"]
# 第二个:**有人删除了 Pod**。`db` 是由一份单独的 Pod 清单创建的,除了你没有别人管它。

# %% tags=["predict"]
lab.predict("E1.4")

# %%
!kubectl delete pod db
lab.advance("1m") if lab.cluster.control else lab.wait("pod/db exists", within="20s")

# %%
!kubectl get pods

# %% tags=["predict"]
lab.predict("E1.4").explain()

# %% [markdown] lang="en" tags=["seed:27"]
# Third: **the same YAML again**. We bring `db` back ourselves. `web` has not been touched: it still has the address that it was given.
# %% [markdown] lang="zh" tags=["seed:27"]
# 第三个:**再次应用同一份 YAML**。我们自己把 `db` 带回来。`web` 没有动过:它手里仍然是当初得到的地址。

# %% tags=["predict"]
lab.predict("E1.5")

# %%
!kubectl apply -f $MANIFESTS/db-pod.yaml
lab.wait("pod/db ready", within="60s")

# %%
!kubectl get pod db -o custom-columns=NAME:.metadata.name,IP:.status.podIP
!kubectl get pod web -o custom-columns=NAME:.metadata.name,DB_HOST:.spec.containers[0].env[0].value
!kubectl exec shell -- wget -q -O - -T 10 http://{web_ip[0]}:8080/api/messages || true

# %% tags=["predict"]
lab.predict("E1.5").explain()

# %% [markdown] lang="en"
# **Exercise X1.5** Make the guestbook work again, without editing its image. The environment of a running Pod can't be changed:
# think about which Pod has to be made anew. Then answer the question below: what breaks the next time?
# %% [markdown] lang="zh"
# **练习 X1.5** 让留言板重新工作,但不要修改它的镜像。运行中的 Pod 的环境变量不能修改:想一想哪个 Pod 必须重新创建。然后回答下面的问题:下一次会坏在哪里?

# %% tags=["task"]
# BEGIN SOLUTION
!kubectl delete pod web --grace-period=1
!sed "s/DB_ADDRESS/$(kubectl get pod db -o jsonpath={.status.podIP})/" $MANIFESTS/web-pod.yaml | kubectl apply -f -
lab.wait("pod/web ready", within="60s")
# END SOLUTION

# %% tags=["quiz"]
lab.quiz("X1.5")

# %% tags=["solution"]
lab.quiz("X1.5", answer="address")

# %% tags=["check"]
lab.check("X1.5")

# %% [markdown] lang="en"
# Copying addresses by hand is no way to live. Lab 03 gives `db` a name that stays: a Service.
# %% [markdown] lang="zh"
# 手工抄地址不是长久之计。实验 03 会给 `db` 一个不变的名字:Service。

# %% [markdown] lang="en" tags=["seed:8"]
# ## 5 · Finding a place
#
# The tutorial says: *Kubernetes decides by itself on which node a container runs.* It does so by what Pods **request**, not by
# how busy the nodes are. Here is a Pod that requests 100 CPUs.
# %% [markdown] lang="zh" tags=["seed:8"]
# ## 5 · 找位置
#
# 教程说:*Kubernetes 可以自动决定在哪个节点上运行容器。* 它依据的是 Pod **请求(request)** 多少,而不是节点有多忙。下面这个 Pod 请求 100 个 CPU。

# %% tags=["predict"]
lab.predict("E1.6")

# %%
!cat $MANIFESTS/greedy.yaml
!kubectl apply -f $MANIFESTS/greedy.yaml

# %%
!kubectl get pod greedy
!kubectl get events --field-selector involvedObject.name=greedy -o custom-columns=REASON:.reason,MESSAGE:.message

# %% tags=["predict"]
lab.predict("E1.6").explain()

# %% [markdown] lang="en"
# **Exercise X1.4** Make `greedy` run. It must still request CPU, but half a CPU at the most.
# %% [markdown] lang="zh"
# **练习 X1.4** 让 `greedy` 运行起来。它仍然必须请求 CPU,但最多半个 CPU。

# %% tags=["task"]
# BEGIN SOLUTION
!kubectl delete pod greedy
!sed 's/cpu: "100"/cpu: 500m/' $MANIFESTS/greedy.yaml | kubectl apply -f -
lab.wait("pod/greedy ready", within="60s")
# END SOLUTION

# %% tags=["check"]
lab.check("X1.4")

# %% [markdown] lang="en"
# **Exercise X1.2** A Pod `fast` (any image that keeps running) must live on a node with the label `disk=ssd`. Let the *scheduler*
# find that node: describe the node you want, do not name it.
# %% [markdown] lang="zh"
# **练习 X1.2** Pod `fast`(任何能持续运行的镜像)必须位于带标签 `disk=ssd` 的节点上。让*调度器*去找这个节点:描述你想要的节点,不要写它的名字。

# %% tags=["task"]
%%apply
# BEGIN SOLUTION
apiVersion: v1
kind: Pod
metadata:
  name: fast
spec:
  nodeSelector:
    disk: ssd
  containers:
  - name: web
    image: nginx:1.30
# END SOLUTION

# %% tags=["check"]
lab.check("X1.2")

# %% [markdown] lang="en"
# **Exercise X1.3** A program may want to know its own address, which nobody knows when the YAML is written. Make a Pod `mirror`
# (any image with a shell, for example `busybox:1.37` that sleeps) whose environment variable `MY_POD_IP` is the Pod's IP.
# %% [markdown] lang="zh"
# **练习 X1.3** 程序有时想知道自己的地址,而写 YAML 时谁也不知道这个地址。创建 Pod `mirror`(任何带 shell 的镜像,例如一直 sleep 的 `busybox:1.37`),
# 让它的环境变量 `MY_POD_IP` 等于这个 Pod 的 IP。

# %% tags=["task"]
%%apply
# BEGIN SOLUTION
apiVersion: v1
kind: Pod
metadata:
  name: mirror
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: shell
    image: busybox:1.37
    command: ["sleep", "36000"]
    env:
    - name: MY_POD_IP
      valueFrom:
        fieldRef:
          fieldPath: status.podIP
# END SOLUTION

# %% tags=["check"]
lab.check("X1.3")

# %% [markdown] lang="en"
# ## 6 · What may change while a Pod runs
#
# We try two changes on the running Pod `web`: another image, and another container port.
# %% [markdown] lang="zh"
# ## 6 · Pod 运行时什么可以改
#
# 我们在运行中的 Pod `web` 上尝试两种修改:换镜像,换容器端口。

# %% tags=["predict"]
lab.predict("E1.7")

# %%
!kubectl set image pod/web web=guestbook:v2
lab.wait("pod/web ready", within="60s")

# %%
!kubectl patch pod web --type=json -p '[{"op": "replace", "path": "/spec/containers/0/ports/0/containerPort", "value": 9090}]' 2>&1 | head -n 3

# %% tags=["predict"]
lab.predict("E1.7").explain()

# %% [markdown] lang="en"
# ## 7 · A fault to find
#
# `lab.break_("F1")` puts a broken Pod `shop` into your namespace. Look with `kubectl get` and `kubectl describe`, say to yourself what is
# wrong, then repair it with as small a change as you can.
# %% [markdown] lang="zh"
# ## 7 · 找出故障
#
# `lab.break_("F1")` 会把一个坏掉的 Pod `shop` 放进你的命名空间。用 `kubectl get` 和 `kubectl describe` 观察,先在心里说出哪里错了,再用尽可能小的修改修复它。

# %% tags=["break"]
lab.break_("F1")

# %%
!kubectl get pod shop -o custom-columns=NAME:.metadata.name,PHASE:.status.phase,IMAGE:.spec.containers[0].image

# %% tags=["task"]
# BEGIN SOLUTION
!kubectl set image pod/shop shop=nginx:1.30
lab.wait("pod/shop ready", within="120s")
# END SOLUTION

# %% tags=["check"]
lab.check("F1")

# %% [markdown] lang="en"
# ## 8 · Quiz
# %% [markdown] lang="zh"
# ## 8 · 小测验

# %% tags=["quiz"]
lab.quiz("Q1")

# %% tags=["solution"]
lab.quiz("Q1", death="delete", waiting="pull", unit="pod", move="replaced")

# %% [markdown] lang="en"
# ## What you know now
#
# - A crash restarts the **container**: same Pod, same IP. A deleted bare Pod is gone for good. A Pod made again is a **new** Pod with a new IP.
# - A Pod's IP works inside the cluster only.
# - The scheduler places by requests and labels; why a Pod is Pending is written in its events.
# - Of a running Pod little may change, the image for one.
#
# **Stretch** Make a Pod that runs on the control-plane node: it has to *tolerate* the node's taint.
# %% [markdown] lang="zh"
# ## 你现在知道了
#
# - 崩溃只会重启**容器**:同一个 Pod,同一个 IP。被删除的单独 Pod 不会回来。重新创建的是一个**新的** Pod,有新的 IP。
# - Pod 的 IP 只在集群内部可用。
# - 调度器依据 request 和标签安排位置;Pod 为什么处于 Pending,写在它的事件里。
# - 运行中的 Pod 只有很少的东西可以改,镜像是其中之一。
#
# **进阶** 创建一个运行在控制平面节点上的 Pod:它必须*容忍*该节点的污点。
