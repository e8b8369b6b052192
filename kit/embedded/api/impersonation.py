"""Acting as somebody else: the headers that ask for it, and who may.

Models k8s.io/apiserver/pkg/endpoints/filters/impersonation: the constrained modes (`impersonate:MODE` for whom,
`impersonate-on:MODE:VERB` for what), else the verb `impersonate` alone. A real server answers a refusal in the words of the way that
worked last for the one who asks, at first in the constrained ones; here the old words are for who was granted `impersonate` at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from kit.embedded.api import rbac
from kit.embedded.api.attributes import ANONYMOUS, User
from kit.embedded.api.auth import ACCOUNTS, AUTHENTICATED, UNAUTHENTICATED
from kit.embedded.core.store import Store
from kit.embedded.core.turns import Request
from kit.kube import status
from kit.kube.gotext import go_quoted
from kit.kube.rbac import Question

EXTRA = "impersonate-extra-"
ACCOUNT = "system:serviceaccount:"
NODE = "system:node:"
AUTHENTICATION = "authentication.k8s.io"


def wanted(request: Request) -> User | None:
    """Return who a request wants to act as, as its headers say it; None when they say nothing of that."""
    headers = request.headers
    name, uid = headers.get("impersonate-user", ""), headers.get("impersonate-uid", "")
    groups = tuple(part for part in (one.strip() for one in headers.get("impersonate-group", "").split(",")) if part)
    extra = {
        unquote(key[len(EXTRA) :]): tuple(one.strip() for one in value.split(","))
        for key, value in headers.items()
        if key.startswith(EXTRA)
    }
    if name:
        return User(name, groups, uid, extra)
    if groups or uid or extra:
        raise status.bad_request(f"requested {_go(User(name, groups, uid, extra))} without impersonating a user name")
    return None


def _go(user: User) -> str:
    """Return a user as Go's `%#v` shows one."""
    extra = ", ".join(f"{go_quoted(key)}:{_texts(values)}" for key, values in sorted(user.extra.items()))
    shown = f"map[string][]string{{{extra}}}" if extra else "map[string][]string(nil)"
    groups = _texts(user.groups) if user.groups else "[]string(nil)"
    return (
        f"&user.DefaultInfo{{Name:{go_quoted(user.name)}, UID:{go_quoted(user.uid)}, Groups:{groups}, Extra:{shown}}}"
    )


def _texts(values: tuple[str, ...]) -> str:
    return f"[]string{{{', '.join(go_quoted(value) for value in values)}}}"


def acting(store: Store, user: User, request: Request, about: Question, resource: str) -> User:
    """Return who a request acts as; Forbidden when the one who sent it may not. `resource` is what it is about, "" for a URL."""
    asked = wanted(request)
    if asked is None:
        return user
    first = _constrained(store, user, asked, about)
    if first is not None:
        refused = _legacy(store, user, asked)
        if refused is not None:
            raise _refusal(user, first if _never(store, user) else refused, about, resource)
    return _completed(asked)


def _constrained(store: Store, user: User, asked: User, about: Question) -> Question | None:
    """Return what a user lacks for a mode of its own kind of user, None when it has all."""
    mode = (
        "serviceaccount"
        if asked.name.startswith(ACCOUNT)
        else "arbitrary-node"
        if asked.name.startswith(NODE)
        else "user-info"
    )
    doing = replace(about, verb=f"impersonate-on:{mode}:{about.verb}")
    needed = (replace(one, verb=f"impersonate:{mode}", group=AUTHENTICATION) for one in _named(asked, mode))
    return next((one for one in (doing, *needed) if not rbac.allowed(store, user, one)), None)


def _named(asked: User, mode: str) -> Iterator[Question]:
    if mode == "serviceaccount":
        namespace, _, name = asked.name[len(ACCOUNT) :].partition(":")
        yield Question("", resource="serviceaccounts", namespace=namespace, name=name)
    elif mode == "arbitrary-node":
        yield Question("", resource="nodes", name=asked.name[len(NODE) :])
    else:
        yield Question("", resource="users", name=asked.name)
    for group in asked.groups:
        yield Question("", resource="groups", name=group)
    if asked.uid:
        yield Question("", AUTHENTICATION, "uids", name=asked.uid)
    for key, values in asked.extra.items():
        for value in values:
            yield Question("", AUTHENTICATION, "userextras", key, name=value)


def _legacy(store: Store, user: User, asked: User) -> Question | None:
    """Return whom a user may not impersonate, None when it may all."""
    mode = "serviceaccount" if asked.name.startswith(ACCOUNT) else ""
    needed = (replace(one, verb="impersonate") for one in _named(asked, mode))
    return next((one for one in needed if not rbac.allowed(store, user, one)), None)


def _never(store: Store, user: User) -> bool:
    """Return whether no rule of the whole cluster lets a user impersonate anybody."""
    held = rbac.rules(store, user, "")
    return not any({"impersonate", "*"} & set(rule.get("verbs") or ()) for rule, _ in held.rules)


def _refusal(user: User, lacking: Question, about: Question, resource: str) -> Exception:
    if lacking.path:
        return status.denied_path(user.name, lacking.verb, lacking.path)
    same = (lacking.group, lacking.resource) == (about.group, about.resource)
    named = resource if same else f"{lacking.resource}.{lacking.group}".rstrip(".")
    return rbac.denied(user, lacking, named, "")


def _completed(asked: User) -> User:
    """Return the user with the groups that come by themselves."""
    groups = asked.groups
    if not groups and asked.name.startswith(ACCOUNT):
        groups = (ACCOUNTS, f"{ACCOUNTS}:{asked.name.split(':')[2]}")
    ending = UNAUTHENTICATED if asked.name == ANONYMOUS.name else AUTHENTICATED
    if AUTHENTICATED not in groups and UNAUTHENTICATED not in groups:
        groups = (*groups, ending)
    return replace(asked, groups=groups)
