"""Applets beyond the recorded lines: archives as `kubectl cp` sends them, the network, sed, awk, find and their kin."""

from __future__ import annotations

import io
import tarfile

import pytest
from shellbox import Box

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import Dir, File, Link, Mount
from kit.embedded.core.program import Answer
from kit.embedded.images.busybox.image import busybox

PAGE = b"<h1>hello</h1>\n"


@pytest.fixture
def box() -> Box:
    made = Box(Tree(busybox().root), names={"web": ["10.96.0.7"]})
    made.tree.write("/etc/hostname", b"box\n")
    made.tree.write("/data.txt", b"b 2\na 10\nc 3\n")
    return made


def sh(box: Box, line: str, **more: object) -> tuple[str, str, int]:
    out, err, code = box.run(["sh", "-c", line], **more)  # type: ignore[arg-type]
    return out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "surrogateescape"), code


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("sort -k2 -n data.txt", "b 2\nc 3\na 10\n"),
        ("sort -r data.txt | head -1", "c 3\n"),
        ("sed -n '2,$p' data.txt", "a 10\nc 3\n"),
        ("sed '/a/d; s/\\([a-z]\\) \\(.*\\)/\\2-\\1/' data.txt", "2-b\n3-c\n"),
        ("sed -E 's/([a-z]+) ([0-9]+)/[&]\\n\\2/;1q' data.txt", "[b 2]\n2\n"),
        ("sed -n '$=' data.txt; sed '1!G;h;$!d' data.txt", "3\nc 3\na 10\nb 2\n"),
        ("sed ':a;N;$!ba;s/\\n/,/g' data.txt", "b 2,a 10,c 3\n"),
        ("sed -i 's/b/B/' data.txt; head -n1 data.txt", "B 2\n"),
        ("sed '2i\\\nnew' data.txt | sed -n 2p; sed '1a after' data.txt | sed -n 2p", "new\nafter\n"),
        ("awk '{s+=$2} END {print s, NR}' data.txt", "15 3\n"),
        ("awk '$2>2 {print $1}' data.txt", "a\nc\n"),
        ("awk '{n[$1]=$2} END {for (k in n) print k \"=\" n[k]}' data.txt | sort", "a=10\nb=2\nc=3\n"),
        ("awk 'BEGIN {printf \"%-5s|%03d|%.1f\\n\", \"x\", 7, 2.25}'", "x    |007|2.2\n"),
        ("awk 'NR==2{next} {print NR\":\"$0}' data.txt", "1:b 2\n3:c 3\n"),
        ("awk -v t=3 '$2==t{print substr($0,1,1) toupper($1)}' data.txt", "cC\n"),
        ("echo 'a:b' | awk -F: '{print $2; print length($0), index($0,\":\")}'", "b\n3 2\n"),
        ("cut -d' ' -f1 data.txt | tr a-z A-Z | paste -s -d,", "B,A,C\n"),
        ("grep -n a data.txt; grep -c '[0-9]' data.txt; grep -v a data.txt | wc -l", "2:a 10\n3\n2\n"),
        ("grep -o '[0-9]*' data.txt; grep -E 'a|c' data.txt; grep -q zz data.txt; echo $?", "2\n10\n3\na 10\nc 3\n1\n"),
        ("grep -A1 b data.txt; grep -w 1 data.txt; grep -l a data.txt /etc/hostname", "b 2\na 10\ndata.txt\n"),
        ("mkdir -p /t/d; touch /t/f.txt /t/d/g.txt; find /t -name '*.txt' -type f | sort", "/t/d/g.txt\n/t/f.txt\n"),
        ("mkdir -p /t/d; touch /t/f /t/d/g; find /t -type f -exec echo got {} \\;", "got /t/d/g\ngot /t/f\n"),
        ("mkdir /t; touch /t/a /t/b; find /t -type f | xargs rm; ls /t | wc -l", "0\n"),
        ("seq 3 | xargs -I{} echo n{}", "n1\nn2\nn3\n"),
        ("echo hi > /a; cp /a /b; mv /b /c; cat /c; ls /b 2>&1", "hi\nls: /b: No such file or directory\n"),
        ("mkdir -p /x/y; echo 1 > /x/y/z; cp -r /x /w; cat /w/y/z; rm -r /x; ls -d /x 2>/dev/null; echo $?", "1\n1\n"),
        ("chmod 600 data.txt; stat -c '%a %U %s' data.txt; chmod u+x,go=r data.txt; stat -c %A data.txt", "600 root 13\n-rwxr--r--\n"),
        ("ln -s data.txt l; readlink l; cat l | head -1; realpath l", "data.txt\nb 2\n/data.txt\n"),
        ("date -u -d '2026-01-02 03:04:05' '+%Y/%m/%d %H-%M-%S %j %a'", "2026/01/02 03-04-05 002 Fri\n"),
        ("expr 3 \\* 4; expr length hello; expr abc : 'a\\(.\\)'; expr 5 \\> 3", "12\n5\nb\n1\n"),
        ("gzip data.txt; ls data*; gunzip data.txt.gz; cat data.txt | gzip | gunzip | head -1", "data.txt.gz\nb 2\n"),
        ("sha256sum data.txt >s; sha256sum -c s; echo >>data.txt; sha256sum -c s 2>/dev/null", "data.txt: OK\ndata.txt: FAILED\n"),
        ("tail -n 1 data.txt; tail -n +2 data.txt; tail -c 3 data.txt; head -c 3 data.txt", "c 3\na 10\nc 3\n 3\nb 2"),
        ("printf 'a\\nb\\n' | tee /o | wc -l; cat /o; nl /o", "2\na\nb\n     1\ta\n     2\tb\n"),
        ("time true 2>&1 | grep -c real; timeout 5 echo in; sh -c 'exit 3' || echo $?", "1\nin\n3\n"),
        ("id; id -u; id -un; whoami", "uid=0(root) gid=0(root) groups=0(root)\n0\nroot\nroot\n"),
        ("printf 'x' | od -An -tx1; printf 'AB' | hexdump -C | head -1", f" 78\n00000000  41 42{' ' * 45}|AB|\n"),
        ("d=$(mktemp -d); [ -d $d ] && echo made; echo abc | rev; seq -s, 1 3; usleep 10; yes n | head -2", "made\ncba\n1,2,3\nn\nn\n"),
    ],
)  # fmt: skip
def test_line(box: Box, line: str, out: str) -> None:
    assert sh(box, f"cd /; {line}")[0] == out


def test_tar_unpacks_what_kubectl_cp_sends(box: Box) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in (("d/one", b"1\n"), ("d/" + "long" * 40, b"2\n")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("d/link")
        link.type, link.linkname = tarfile.SYMTYPE, "one"
        archive.addfile(link)
    assert box.run(["tar", "-xmf", "-", "-C", "/tmp"], stdin=stream.getvalue()) == (b"", b"", 0)
    assert box.tree.read("/tmp/d/one") == b"1\n"
    assert box.tree.read("/tmp/d/link") == b"1\n"
    assert box.tree.read("/tmp/d/" + "long" * 40) == b"2\n"


def test_tar_packs_what_kubectl_cp_reads(box: Box) -> None:
    sh(box, "mkdir -p /tmp/q/s; echo 1 >/tmp/q/one; ln -s one /tmp/q/l; echo x >/tmp/q/s/" + "n" * 120)
    out, err, code = box.run(["tar", "cf", "-", "/tmp/q"])
    assert (err, code) == (b"tar: removing leading '/' from member names\n", 0)
    with tarfile.open(fileobj=io.BytesIO(out)) as archive:
        assert sorted(archive.getnames()) == ["tmp/q", "tmp/q/l", "tmp/q/one", "tmp/q/s", "tmp/q/s/" + "n" * 120]
        member = archive.extractfile("tmp/q/one")
        assert member is not None
        assert member.read() == b"1\n"


def test_tar_refuses_to_climb(box: Box) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../etc/evil"))
    _, err, code = box.run(["tar", "xf", "-", "-C", "/tmp"], stdin=stream.getvalue())
    assert code == 1
    assert b".." in err
    assert not box.tree.exists("/etc/evil")


def serve_page(request: bytes) -> bytes | None:
    if b"\r\n\r\n" not in request:
        return None
    path = request.split()[1]
    if path == b"/moved":
        return b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
    if path == b"/echo":
        return b"HTTP/1.1 200 OK\r\n\r\n" + request.partition(b"\r\n\r\n")[0]
    if path == b"/chunks":
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nServer: t\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)


def test_wget(box: Box) -> None:
    box.servers[("10.96.0.7", 80)] = serve_page
    assert sh(box, "wget -qO- http://web") == (PAGE.decode(), "", 0)
    assert sh(box, "wget -qO- web/moved") == (PAGE.decode(), "", 0)
    assert sh(box, "wget -qO- web/chunks") == ("abcde", "", 0)
    assert sh(box, "wget -qO- --header 'X-A: 1' -U me http://web/echo")[0] == (
        "GET /echo HTTP/1.1\r\nHost: web\r\nUser-Agent: me\r\nConnection: close\r\nX-A: 1"
    )
    assert sh(box, "wget --spider http://web; echo $?")[:2] == (
        "0\n",
        "Connecting to web (10.96.0.7:80)\nremote file exists\n",
    )
    out, err, code = sh(box, "cd /tmp; wget -S http://web/x.html; cat x.html")
    assert (out, code) == (PAGE.decode(), 0)
    bar = "*" * 32
    assert err == (
        "Connecting to web (10.96.0.7:80)\n  HTTP/1.1 200 OK\n  Server: t\n  Content-Length: 15\n  \nsaving to 'x.html'\n"
        f"x.html               100% |{bar}|    15  0:00:00 ETA\n'x.html' saved\n"
    )
    assert sh(box, "wget http://web/x.html -O /nodir/y")[1:] == (
        "Connecting to web (10.96.0.7:80)\nwget: can't open '/nodir/y': No such file or directory\n",
        1,
    )


def test_httpd_and_wget_meet(box: Box) -> None:
    serve = "mkdir /www; echo page >/www/index.html; httpd -f -p 8080 -h /www & sleep 1"
    out, err, code = sh(box, f"{serve}; wget -qO- http://127.0.0.1:8080/; wget -qO- http://127.0.0.1:8080/no; echo $?")
    assert (out, err, code) == ("page\n1\n", "wget: server returned error: HTTP/1.1 404 Not Found\n", 0)


def test_nc_listens_and_connects(box: Box) -> None:
    assert (
        sh(box, "nc -l -p 9000 >/got & sleep 1; echo through | nc -w 1 127.0.0.1 9000; sleep 1; cat /got")[0]
        == "through\n"
    )
    assert sh(box, "nc -w 2 127.0.0.1 9; echo $?") == (
        "1\n",
        "nc: can't connect to remote host (127.0.0.1): Connection refused\n",
        0,
    )


def test_nc_serves_again_and_again(box: Box) -> None:
    line = "nc -ll -p 9001 -e echo served & sleep 1; nc 127.0.0.1 9001 </dev/null; nc 127.0.0.1 9001 </dev/null"
    assert sh(box, line)[0] == "served\nserved\n"


def test_ping(box: Box) -> None:
    assert sh(box, "ping -c 1 web")[0] == (
        "PING web (10.96.0.7): 56 data bytes\n64 bytes from 10.96.0.7: seq=0 ttl=64 time=0.050 ms\n\n--- web ping statistics ---\n"
        "1 packets transmitted, 1 packets received, 0% packet loss\nround-trip min/avg/max = 0.050/0.050/0.050 ms\n"
    )


def test_nslookup_of_an_address_and_of_srv(box: Box) -> None:
    box.answers = lambda name, kind, server: Answer(
        "NOERROR",
        (
            (
                name,
                kind,
                30,
                {"PTR": "web.lines.svc.cluster.local.", "SRV": "0 100 80 web.lines.svc.cluster.local."}[kind],
            ),
        ),
        "10.96.0.10",
    )
    head = "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n"
    assert sh(box, "nslookup 10.96.0.7")[0] == head + "7.0.96.10.in-addr.arpa\tname = web.lines.svc.cluster.local\n\n"
    assert sh(box, "nslookup -type=srv _http._tcp.web.x")[0] == (
        head + "_http._tcp.web.x\tservice = 0 100 80 web.lines.svc.cluster.local\n\n"
    )


def test_another_user_may_not_write_where_root_may(box: Box) -> None:
    assert sh(box, "touch /x; whoami; id", uid=1000)[:2] == (
        "uid=1000 gid=1000 groups=1000\n",
        "touch: /x: Permission denied\nwhoami: unknown uid 1000\n",
    )
    assert sh(box, "touch /tmp/x && ls -ln /tmp | grep -c 1000", uid=1000)[0] == "1\n"


def test_read_only_and_full_volumes(box: Box) -> None:
    box.tree.mount(Mount("/conf", Dir({"a": File(b"one"), "l": Link("a")}, owner="v"), readonly=True))
    _, err, _ = sh(box, "echo x >/conf/new; touch /conf/t; rm /conf/a; mkdir /conf/d")
    assert err.splitlines() == [
        "sh: can't create /conf/new: Read-only file system",
        "touch: /conf/t: Read-only file system",
        "rm: can't remove '/conf/a': Read-only file system",
        "mkdir: can't create directory '/conf/d': Read-only file system",
    ]
    small = Box(Tree(busybox().root, limit=1 << 20))
    _, err, code = sh(small, "dd if=/dev/zero of=/f bs=1M count=8")
    assert (code, err.splitlines()[0]) == (1, "dd: error writing '/f': No space left on device")


def test_ls_long(box: Box) -> None:
    box.tree.mount(
        Mount(
            "/v", Dir({"f": File(b"12345", mtime=box.now), "d": Dir(mtime=box.now), "l": Link("f", box.now)}, owner="v")
        )
    )
    assert sh(box, "ls -l /v")[0].splitlines() == [
        "total 8",
        "drwxr-xr-x    2 root     root          4096 Sep 10 00:26 d",
        "-rw-r--r--    1 root     root             5 Sep 10 00:26 f",
        "lrwxrwxrwx    1 root     root             1 Sep 10 00:26 l -> f",
    ]
    assert sh(box, "ls -F /v; ls -1 /v | wc -l")[0] == "d/\nf\nl@\n3\n"
