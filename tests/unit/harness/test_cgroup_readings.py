"""The cgroup files of both versions, as engines mount them."""

from __future__ import annotations

from pathlib import Path

from seatrial.harness.cgroup import Sample, find_reader


def _tree(root: Path, files: dict[str, str]) -> tuple[str, str]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root / "proc/self"), str(root)


V2 = {
    "memory.current": "1048576\n",
    "memory.peak": "2097152\n",
    "memory.max": "536870912\n",
    "memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n",
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    "pids.current": "7\n",
    "pids.peak": "12\n",
    "pids.events": "max 4\n",
}
V2_SAMPLE = Sample(1048576, 2097152, 536870912, 1.5, 7, 12, 2, 4)


def test_version_2_in_a_private_namespace_is_read_at_its_mount(tmp_path: Path) -> None:
    files = {f"sys/fs/cgroup/{name}": text for name, text in V2.items()}
    files["proc/self/cgroup"] = "0::/\n"
    files["proc/self/mountinfo"] = (
        "30 23 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n"
    )
    assert find_reader(*_tree(tmp_path, files))() == V2_SAMPLE


def test_version_2_in_the_hosts_namespace_is_read_at_the_containers_path(tmp_path: Path) -> None:
    files = {f"sys/fs/cgroup/system.slice/docker-1.scope/{n}": text for n, text in V2.items()}
    files["proc/self/cgroup"] = "0::/system.slice/docker-1.scope\n"
    files["proc/self/mountinfo"] = "30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
    assert find_reader(*_tree(tmp_path, files))() == V2_SAMPLE


def test_what_an_older_kernel_does_not_write_is_unknown(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/memory.current": "5\n",
        "sys/fs/cgroup/memory.max": "max\n",
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
    }
    assert find_reader(*_tree(tmp_path, files))() == Sample(memory_bytes=5)


def _v1(root: str, prefix: str) -> dict[str, str]:
    mounts = (
        f"32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
        f"35 31 0:32 {root} /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        f"39 31 0:36 {root} /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
    )
    return {
        "proc/self/cgroup": "9:pids:/docker/1\n4:memory:/docker/1\n2:cpu,cpuacct:/docker/1\n0::/\n",
        "proc/self/mountinfo": mounts,
        f"sys/fs/cgroup/memory/{prefix}memory.usage_in_bytes": "100\n",
        f"sys/fs/cgroup/memory/{prefix}memory.max_usage_in_bytes": "300\n",
        f"sys/fs/cgroup/memory/{prefix}memory.limit_in_bytes": "268435456\n",
        f"sys/fs/cgroup/memory/{prefix}memory.oom_control": "under_oom 0\noom_kill 1\n",
        f"sys/fs/cgroup/cpu,cpuacct/{prefix}cpuacct.usage": "2500000000\n",
        f"sys/fs/cgroup/pids/{prefix}pids.current": "3\n",
        f"sys/fs/cgroup/pids/{prefix}pids.events": "max 9\n",
    }


V1_SAMPLE = Sample(100, 300, 268435456, 2.5, 3, None, 1, 9)


def test_version_1_is_read_where_the_containers_own_cgroup_is_mounted(tmp_path: Path) -> None:
    assert find_reader(*_tree(tmp_path, _v1("/docker/1", "")))() == V1_SAMPLE


def test_version_1_is_read_below_a_mount_of_the_whole_tree(tmp_path: Path) -> None:
    assert find_reader(*_tree(tmp_path, _v1("/", "docker/1/")))() == V1_SAMPLE


def test_version_1_in_a_private_namespace_is_read_at_its_mount(tmp_path: Path) -> None:
    assert find_reader(*_tree(tmp_path, _v1("/../..", "")))() == V1_SAMPLE


def test_no_limit_in_version_1_is_no_limit(tmp_path: Path) -> None:
    files = _v1("/docker/1", "")
    files["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    assert find_reader(*_tree(tmp_path, files))().memory_limit_bytes is None


def test_a_system_without_cgroups_gives_an_empty_sample(tmp_path: Path) -> None:
    assert find_reader(*_tree(tmp_path, {"proc/self/cgroup": ""}))() == Sample()
