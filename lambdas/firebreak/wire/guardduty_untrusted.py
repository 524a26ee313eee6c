"""Text of a GuardDuty finding that an attacker may have written, gathered for people to read: few, each cut to size."""

from __future__ import annotations

from firebreak.core.model import Json
from firebreak.wire.read import member, name, objects, prose

TAGS = 10
"""Instance tags among the texts: whoever controls the instance's role may have set them."""

TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("title", ("title",)),
    ("description", ("description",)),
    ("rule", ("customDetectionRuleName",)),
    ("domain", ("service", "action", "dnsRequestAction", "domain")),
    ("api", ("service", "action", "awsApiCallAction", "api")),
    ("api service", ("service", "action", "awsApiCallAction", "serviceName")),
    ("api error", ("service", "action", "awsApiCallAction", "errorCode")),
    ("user agent", ("service", "action", "awsApiCallAction", "userAgent")),
    ("kubernetes verb", ("service", "action", "kubernetesApiCallAction", "verb")),
    ("kubernetes uri", ("service", "action", "kubernetesApiCallAction", "requestUri")),
    ("kubernetes user agent", ("service", "action", "kubernetesApiCallAction", "userAgent")),
    ("process", ("service", "runtimeDetails", "process", "name")),
    ("process path", ("service", "runtimeDetails", "process", "executablePath")),
    ("process user", ("service", "runtimeDetails", "process", "user")),
    ("command line", ("service", "runtimeDetails", "context", "commandLineExample")),
    ("file", ("service", "runtimeDetails", "context", "threatFilePath")),
    ("script", ("service", "runtimeDetails", "context", "scriptPath")),
    ("library", ("service", "runtimeDetails", "context", "libraryPath")),
    ("tool", ("service", "runtimeDetails", "context", "toolName")),
    ("threat", ("service", "ebsVolumeScanDetails", "scanDetections", "highestSeverityThreatDetails", "threatName")),
    ("threats", ("service", "malwareScanDetails", "threats", "name")),
    ("threat list", ("service", "evidence", "threatIntelligenceDetails", "threatListName")),
    ("threat names", ("service", "evidence", "threatIntelligenceDetails", "threatNames")),
    ("container image", ("resource", "containerDetails", "image")),
    ("sequence", ("service", "detection", "sequence", "description")),
)


def untrusted(detail: Json) -> dict[str, str]:
    """Return the texts by label; a list on the way to one, or at its end, gives its parts joined by commas."""
    found = {label: text for label, path in TEXTS if (text := prose(", ".join(_at(detail, path))))}
    for tag in objects(member(detail, "resource", "instanceDetails", "tags"))[:TAGS]:
        key, value = name(tag.get("key")), prose(tag.get("value"))
        if key and value:
            found[f"tag:{key[:128]}"] = value
    return found


def _at(value: Json, path: tuple[str, ...]) -> list[str]:
    if isinstance(value, list):
        return [text for item in value[:20] for text in _at(item, path)]
    if path:
        return _at(value.get(path[0]), path[1:]) if isinstance(value, dict) else []
    text = prose(value)
    return [] if text is None else [text]
