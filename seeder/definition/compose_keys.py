"""The keys of the compose specification, where an unknown one is an error; and what of them only containers can honour."""

from __future__ import annotations

from collections.abc import Iterable

from seeder.definition.marked import Map
from seeder.errors import Collector, nearest


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOP = _words("version name include services models networks volumes secrets configs")

# A service's keys that the definition's Service holds, or that have no meaning for a run.
_HELD = _words("""
    build command configs container_name depends_on entrypoint env_file environment expose extends healthcheck hostname image
    ipc network_mode networks pid ports privileged profiles secrets tmpfs user volumes working_dir
""")
_IDLE = _words("""
    annotations attach develop label_file labels logging platform pull_policy pull_refresh_after restart stdin_open tty
""")
CONTAINER_ONLY = _words("""
    blkio_config cap_add cap_drop cgroup cgroup_parent cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime
    cpu_shares cpus cpuset credential_spec deploy device_cgroup_rules devices dns dns_opt dns_search domainname external_links
    extra_hosts gpus group_add init isolation links mac_address mem_limit mem_reservation mem_swappiness memswap_limit models
    oom_kill_disable oom_score_adj pids_limit post_start pre_start pre_stop provider read_only runtime scale security_opt
    shm_size stop_grace_period stop_signal storage_opt sysctls ulimits use_api_socket userns_mode uts volumes_from
""")
SERVICE = _HELD | _IDLE | CONTAINER_ONLY

# Keys that a service leaves out rather than empty.
NOT_EMPTY = _words("""
    build configs depends_on env_file environment expose healthcheck labels links networks ports profiles secrets tmpfs volumes
    volumes_from
""")

BUILD = _words("""
    context dockerfile dockerfile_inline entitlements args ssh labels cache_from cache_to no_cache no_cache_filter
    additional_contexts network provenance sbom pull target shm_size extra_hosts isolation privileged secrets tags ulimits platforms
""")
HEALTHCHECK = _words("disable interval retries test timeout start_period start_interval")
DEPENDENCY = _words("condition required restart")
PORT = _words("name mode host_ip target published protocol app_protocol")
VOLUME_MOUNT = _words("type source target read_only consistency bind volume tmpfs image")
FILE_MOUNT = _words("source target uid gid mode")
ENV_FILE = _words("path required format")
EXTENDS = _words("service file")
INCLUDE = _words("path env_file project_directory")
NETWORK_USE = _words("""
    aliases interface_name ipv4_address ipv6_address link_local_ips mac_address driver_opts priority gw_priority
""")
CONFIG = _words("name content environment file external labels template_driver")
SECRET = _words("name environment file external labels driver driver_opts template_driver")
VOLUME = _words("name driver driver_opts external labels")
NETWORK = _words("name driver driver_opts ipam external internal enable_ipv4 enable_ipv6 attachable labels")

RESOURCES = {"configs": CONFIG, "secrets": SECRET, "volumes": VOLUME, "networks": NETWORK}


def check_keys(value: Map, known: Iterable[str], path: str, problems: Collector) -> None:
    """Every key that is neither known nor an extension (`x-`) becomes a problem that offers the nearest one."""
    names = frozenset(known)
    for key in value:
        if key not in names and not key.startswith("x-"):
            where = f"{path}.{key}" if path else key
            problems.add(where, "compose knows no such key here", nearest(key, sorted(names)), value.at(key))
