"""What nginx makes before it serves: folders for bodies on their way, its pid file. Models ngx_create_paths, ngx_create_pidfile."""

from __future__ import annotations

from kit.embedded.core.inodes import Dir, W, permits
from kit.embedded.core.program import Context, Errno
from kit.embedded.images.nginx.config import ConfigError, Directive

CACHE = "/var/cache/nginx"
TEMPORARY = ("client_temp", "proxy_temp", "fastcgi_temp", "uwsgi_temp", "scgi_temp")  # in the order of the modules
PID_FILE = "/run/nginx.pid"
WORKER = 101  # the user `nginx` of the image
NUMBERS = {"ENOENT": 2, "EACCES": 13, "EROFS": 30, "ENOSPC": 28}


def failed(call: str, path: str, error: Errno) -> ConfigError:
    """Return what nginx says of a system call that failed."""
    return ConfigError(f'{call}() "{path}" failed ({NUMBERS.get(error.name, 5)}: {error})')


def ignored_user(root: Directive, uid: int) -> str:
    """Return the warning of a master that may not change its user, "" when there is none."""
    user = root.last("user")
    if not uid or user is None:
        return ""
    why = 'the "user" directive makes sense only if the master process runs with super-user privileges'
    return f"{why}, ignored in {user.file}:{user.line}"


def make_temporary(ctx: Context, now: int) -> None:
    """Make the folders that are not there; only the worker's user may look into them. ConfigError."""
    for name in TEMPORARY:
        path = f"{CACHE}/{name}"
        if ctx.fs.exists(path):
            continue
        try:
            _allowed(ctx, CACHE)
            ctx.fs.mkdir(path, mode=0o700, now=now)
        except Errno as error:
            raise failed("mkdir", path, error) from None
        made = ctx.fs.lookup(path)
        if isinstance(made, Dir):
            made.uid, made.gid = (ctx.uid, ctx.gid) if ctx.uid else (WORKER, 0)


def write_pid(ctx: Context, now: int) -> None:
    """Say who the master is. ConfigError."""
    try:
        _allowed(ctx, PID_FILE if ctx.fs.exists(PID_FILE) else PID_FILE.rpartition("/")[0])
        file = ctx.fs.write(PID_FILE, f"{ctx.pid}\n".encode(), now=now)
        file.uid, file.gid = ctx.uid, ctx.gid
    except Errno as error:
        raise failed("open", PID_FILE, error) from None


def _allowed(ctx: Context, path: str) -> None:
    if not permits(ctx.fs.lookup(path), W, ctx.uid, ctx.gid):
        raise Errno("EACCES", path)
