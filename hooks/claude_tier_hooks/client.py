"""What Claude Code would run by itself: which model a subagent gets when nobody rewrites it.

explicit parameter > frontmatter of the agent file > built-in's own model > environment default >
the parent's model (Claude Code 2.1.251 and later; docs/limits.md has the sources).
"""

from __future__ import annotations

import os

from . import policy, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shapes import Json

FORCE = "CLAUDE_CODE_SUBAGENT_MODEL_FORCE"
DEFAULT = "CLAUDE_CODE_SUBAGENT_MODEL"
TARGET = "ANTHROPIC_DEFAULT_%s_MODEL"  # what the client runs for an alias
FORK = "fork"
GENERAL = "general-purpose"
MANAGED = "/etc/claude-code"
HEAD = 65536  # bytes of an agent file that hold its frontmatter


def forced(environment: Json) -> bool:
    """Whether this session takes neither parameter nor frontmatter for a subagent's model."""
    return str(environment.get(FORCE, "")).lower() in ("1", "true", "yes", "on")


def would_run(
    asked: str | None, agent: str, cwd: str, parent: str | None, environment: Json
) -> Json:
    """{model, origin}: what would run and who chose it; model None when that cannot be known.

    `origin` is parameter, agent file, built-in, environment, parent, or unknown for an agent type
    whose definition is not in any place we can read (`--agents`, some plugins).
    """
    if asked:
        return {"model": _remapped(asked, parent, environment), "origin": "parameter"}
    found = frontmatter(agent, cwd)
    own = _builtins().get(agent)
    if found is None and own is None:
        return {"model": None, "origin": "unknown"}
    named = (own or {} if found is None else found).get("model")
    if named and named != "inherit":
        origin = "built-in" if found is None else "agent file"
        return {"model": _remapped(named, parent, environment), "origin": origin}
    default = environment.get(DEFAULT)
    if default and not (found is not None and named == "inherit"):
        return {"model": _remapped(default, parent, environment), "origin": "environment"}
    at_most = own.get("at_most") if own and found is None else None
    return {"model": parent, "origin": "parent", "at_most": at_most}


def _remapped(model: str, parent: str | None, environment: Json) -> str | None:
    """An alias the environment points elsewhere; `inherit` is the parent's model."""
    if model == "inherit":
        return parent
    target = environment.get(TARGET % model.upper().partition("[")[0])
    return target if target and _is_claude(target) else model


def _is_claude(model: str) -> bool:
    return bool(policy.family(model)) or "claude" in model.lower()


def moved(tiers: list[str], environment: Json) -> list[str]:
    """Tiers whose alias the environment points at another Claude family, known to us or not.

    Any other name, of a local model for instance, is the user's word for that tier.
    """
    targets = {tier: str(environment.get(TARGET % tier.upper()) or "") for tier in tiers}
    return [
        tier
        for tier, target in targets.items()
        if _is_claude(target) and policy.family(target) != tier
    ]


def unavailable(tiers: list[str], cwd: str) -> list[str]:
    """Tiers whose alias `availableModels` would send elsewhere, perhaps to a dearer model."""
    allowed = _available(cwd)
    if allowed is None:
        return []
    names = [one.lower() for one in allowed if isinstance(one, str)]
    return [tier for tier in tiers if not any(tier in name for name in names)]


def _available(cwd: str) -> list[object] | None:
    """Managed settings alone, or the lists of user, project and local settings together."""
    root = _upwards(cwd, ".claude") or cwd
    managed = os.path.join(MANAGED, "managed-settings.json")
    own = (
        os.path.join(state.config_dir(), "settings.json"),
        os.path.join(root, ".claude", "settings.json"),
        os.path.join(root, ".claude", "settings.local.json"),
    )
    for files in ((managed,), own):
        lists = [(state.read_json(file) or {}).get("availableModels") for file in files]
        found = [one for one in lists if isinstance(one, list)]
        if found:
            return [name for one in found for name in one]
    return None


def _upwards(folder: str, name: str) -> str | None:
    at = os.path.abspath(folder)
    home = os.path.dirname(os.path.abspath(state.config_dir()))
    while True:
        if at != home and os.path.isdir(os.path.join(at, name)):
            return at
        above = os.path.dirname(at)
        if above == at or os.path.exists(os.path.join(at, ".git")):
            return None
        at = above


def canonical(agent: str, cwd: str) -> str:
    """The name of the agent that the client starts when it is asked for this one.

    It takes an exact name first and then ignores case, spaces, `-` and `_`: "general purpose" runs
    general-purpose. A name that no definition we can read has stays as it is.
    """
    own = _builtins()
    if agent in own or agent == FORK or frontmatter(agent, cwd) is not None:
        return agent
    wanted = _folded(agent)
    return next((one for one in _known(own, cwd) if _folded(one) == wanted), agent)


def _folded(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _known(own: Json, cwd: str) -> Iterator[str]:
    """The names of all agents the client could start here, the nearest definitions first."""
    for folder in _agent_folders(cwd):
        yield from (str(one["name"]) for one in _defined(folder) if one.get("name"))
    yield from own
    yield FORK
    for plugin, root in _plugins():
        for one in _defined(os.path.join(root, "agents")):
            yield "%s:%s" % (plugin, one.get("name"))


def _builtins() -> Json:
    found = (state.read_json(policy.data_file("builtins.json")) or {}).get("agents")
    return found if isinstance(found, dict) else {}


def frontmatter(agent: str, cwd: str) -> Json | None:
    """The scalar fields of the agent's definition; None when no file defines it."""
    if ":" in agent:
        return _plugin_agent(agent)
    for folder in _agent_folders(cwd):
        found = _in_folder(folder, agent)
        if found is not None:
            return found
    return None


def _agent_folders(cwd: str) -> list[str]:
    folders = [os.path.join(MANAGED, ".claude", "agents")]
    at = os.path.abspath(cwd)
    while True:
        folders.append(os.path.join(at, ".claude", "agents"))
        above = os.path.dirname(at)
        if above == at or os.path.exists(os.path.join(at, ".git")):
            break
        at = above
    return [*folders, os.path.join(state.config_dir(), "agents")]


def _in_folder(folder: str, agent: str) -> Json | None:
    """The definition with that name: usually the file is called so, but only the field counts."""
    likely = os.path.join(folder, agent + ".md")
    found = _fields(likely)
    if found and found.get("name") == agent:
        return found
    return next((one for one in _defined(folder) if one.get("name") == agent), None)


def _defined(folder: str) -> Iterator[Json]:
    """The fields of every definition in a folder and below it."""
    for path, _, names in os.walk(folder):
        for name in sorted(names):
            found = _fields(os.path.join(path, name)) if name.endswith(".md") else None
            if found:
                yield found


def _plugin_agent(agent: str) -> Json | None:
    """plugin:[folder:]name, in our own plugin or where the client installed it."""
    plugin, _, name = agent.partition(":")
    for one, root in _plugins():
        if one == plugin:
            found = _in_folder(os.path.join(root, "agents"), name.rpartition(":")[2])
            if found is not None:
                return found
    return None


def _plugins() -> Iterator[tuple[str, str]]:
    """(name, folder) of our own plugin and of each one the client installed."""
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    yield policy.PLUGIN.rstrip(":"), os.environ.get("CLAUDE_PLUGIN_ROOT") or ours
    listed = state.read_json(os.path.join(state.config_dir(), "plugins", "installed_plugins.json"))
    plugins = (listed or {}).get("plugins")
    for key, entries in plugins.items() if isinstance(plugins, dict) else ():
        for one in entries if isinstance(entries, list) else ():
            root = one.get("installPath") if isinstance(one, dict) else None
            if isinstance(root, str) and root:
                yield key.partition("@")[0], root


def _fields(file: str) -> Json | None:
    """`key: value` lines between the two --- of an agent file; None when it has none."""
    data = state.read(file, HEAD)
    if data is None:
        return None
    lines = data.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    found: Json = {}
    for line in lines[1:]:
        if line.strip() == "---":
            return found
        key, colon, value = line.partition(":")
        if colon and key == key.strip():
            found[key] = _text(value.partition(" #")[0].strip())
    return None


def _text(value: str) -> str:
    """The text of a YAML scalar; nothing for null, a list or a map, which are no text."""
    if value.lower() in ("null", "~") or value[:1] in ("[", "{"):
        return ""
    return value.strip("\"'")
