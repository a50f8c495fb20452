"""Lists and watches through the official Python client; run by python.test.ts.

Prints one JSON object: what the watch gave, and how long each event took at most.
"""

import json
import sys
import threading
import time

from kubernetes import client, config, watch

NAMESPACE = "default"
config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()


def config_map(value):
    metadata = client.V1ObjectMeta(name="python", labels={"part": "python"})
    return client.V1ConfigMap(metadata=metadata, data={"value": value})


events = []
arrived = threading.Condition()


def follow(resource_version):
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        NAMESPACE,
        resource_version=resource_version,
        label_selector="part=python",
        timeout_seconds=4,
    )
    for event in stream:
        with arrived:
            events.append(f"{event['type']} {event['object'].data['value']}" if event else "nothing")
            arrived.notify()


def timed(act):
    """Seconds from the request until its event, with no later event to push it out."""
    with arrived:
        wanted = len(events) + 1
        start = time.monotonic()
        act()
        arrived.wait_for(lambda: len(events) >= wanted, 3)
        return time.monotonic() - start


listed = core.list_namespaced_config_map(NAMESPACE)
follower = threading.Thread(target=follow, args=[listed.metadata.resource_version])
follower.start()
time.sleep(0.3)
lags = [
    timed(lambda: core.create_namespaced_config_map(NAMESPACE, config_map("1"))),
    timed(lambda: core.replace_namespaced_config_map("python", NAMESPACE, config_map("2"))),
    timed(lambda: core.patch_namespaced_config_map("python", NAMESPACE, {"data": {"value": "3"}})),
    timed(lambda: core.delete_namespaced_config_map("python", NAMESPACE)),
]
follower.join()
try:
    core.read_namespaced_config_map("python", NAMESPACE)
    code = 200
except client.ApiException as error:
    code = error.status
print(json.dumps({"events": events, "slowest": max(lags), "code": code}))
