"""What the rules that Falco ships mean for a response. Falco's priorities do not tell: a reverse shell is a Notice.

Names: the falcosecurity/rules repository (stable, incubating and sandbox files) and the k8saudit plugin's rules. A
rule that is not listed counts by its priority and says nothing about who acts.

The question is the same as for other sources: could somebody who has broken into nothing cause this alert? An
administrator's shell, or a client that talks to the API server, could; foreign code that runs in a container could not.
"""

from __future__ import annotations

from dataclasses import dataclass

from firebreak.core.finding import Posture, Severity

BY_PRIORITY = {
    "emergency": Severity.CRITICAL,
    "alert": Severity.CRITICAL,
    "critical": Severity.CRITICAL,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "notice": Severity.LOW,
    "informational": Severity.INFO,
    "info": Severity.INFO,
    "debug": Severity.INFO,
}


@dataclass(frozen=True)
class Meaning:
    """What a rule's alert means.

    Attributes:
        severity: the band; None leaves it to the priority.
        posture: whether the workload does harm.
        because: why, for people.
    """

    severity: Severity | None
    posture: Posture
    because: str


UNLISTED = Meaning(None, "unknown", "Firebreak does not know this rule")
LOG = Meaning(None, "unknown", "a log tells what somebody did, not whether a workload does harm")

_GROUPS: tuple[tuple[Severity, Posture, str, tuple[str, ...]], ...] = (
    (
        Severity.CRITICAL,
        "acting",
        "foreign code runs in the workload",
        (
            "Drop and execute new binary in container",
            "Fileless execution via memfd_create",
            "Detect crypto miners using the Stratum protocol",
            "Known Cryptominer Process Executed",
        ),
    ),
    (
        Severity.CRITICAL,
        "acting",
        "the workload breaks out of its container",
        ("Detect release_agent File Container Escapes",),
    ),
    (
        Severity.CRITICAL,
        "acting",
        "a web server hands a shell to the network",
        ("Reverse Shell from Web Server",),
    ),
    (
        Severity.HIGH,
        "acting",
        "a shell is tied to the network or started by a server",
        (
            "Redirect STDOUT/STDIN to Network Connection in Container",
            "Netcat Remote Code Execution in Container",
            "Web Server Spawned Shell",
        ),
    ),
    (
        Severity.HIGH,
        "acting",
        "the workload reaches into its host",
        (
            "Debugfs Launched in Privileged Container",
            "Linux Kernel Module Injection Detected",
            "Privileged Container Device Access",
        ),
    ),
    (
        Severity.HIGH,
        "acting",
        "the workload talks to mining pools",
        ("Detect outbound connections to common miner pool ports",),
    ),
    (
        Severity.MEDIUM,
        "acting",
        "a process looks for credentials or leaves its own",
        (
            "Find AWS Credentials",
            "Search Private Keys or Passwords",
            "Read sensitive file untrusted",
            "Read sensitive file trusted after startup",
            "Directory traversal monitored file read",
            "Read ssh information",
            "Read environment variable from /proc files",
            "Adding ssh keys to authorized_keys",
            "Create Symlink Over Sensitive Files",
            "Create Hardlink Over Sensitive Files",
        ),
    ),
    (
        Severity.MEDIUM,
        "acting",
        "a process hides its code or its traces, or destroys data",
        ("Execution from /dev/shm", "Clear Log Activities", "Remove Bulk Data from Disk"),
    ),
    (
        Severity.MEDIUM,
        "unknown",
        "tools and clients with every right do this too; it counts beside other alerts",
        (
            "PTRACE attached to process",
            "Packet socket created in container",
            "Contact EC2 Instance Metadata Service From Container",
            "Change thread namespace",
            "Change namespace privileges via unshare",
            "Mount Launched in Privileged Container",
            "Container Access to Host Sensitive Paths",
            "Launch Package Management Process in Container",
            "Exfiltrating Artifacts via Kubernetes Control Plane",
            "Schedule Cron Jobs",
            "Modify Shell Configuration File",
            "Write below etc",
            "Write below binary dir",
            "Write below monitored dir",
            "Write below root",
            "Container Drift Detected (chmod)",
            "Container Drift Detected (open+create)",
        ),
    ),
    (
        Severity.LOW,
        "unknown",
        "people and programs with every right do this all day",
        (
            "Terminal shell in container",
            "Run shell untrusted",
            "Contact K8S API Server From Container",
            "PTRACE anti-debug attempt",
            "Disallowed SSH Connection Non Standard Port",
            "System user interactive",
            "Launch Privileged Container",
            "Launch Excessively Capable Container",
        ),
    ),
    (
        Severity.MEDIUM,
        "unknown",
        "a user acts on the cluster; a workload may be the means",
        (
            "Attach/Exec Pod",
            "EphemeralContainers Created",
            "Create Privileged Pod",
            "Create Sensitive Mount Pod",
            "Create HostPid Pod",
            "Create HostNetwork Pod",
            "Create HostIPC Pod",
            "ClusterRole With Pod Exec Created",
        ),
    ),
    (
        Severity.HIGH,
        "unknown",
        "a user takes rights, secrets or a place in the cluster",
        (
            "Attach to cluster-admin Role",
            "Anonymous Request Allowed",
            "K8s Secret Get Successfully",
            "Untrusted Node Successfully Joined the Cluster",
        ),
    ),
)

RULES = {rule: Meaning(severity, posture, because) for severity, posture, because, rules in _GROUPS for rule in rules}


def meaning(rule: str, source: str) -> Meaning:
    """Return what a rule's alert means; `source` is where Falco took the event from, "syscall" or "k8s_audit"."""
    return RULES.get(rule, UNLISTED if source == "syscall" else LOG)
