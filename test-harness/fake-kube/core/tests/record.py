#!/usr/bin/env python3
"""Asks a real API server what it answers to the cases, and writes it beside them.

    tests/record.py https://127.0.0.1:6443 TOKEN tests/cases/*.yaml

Every case is a list of requests to one object. Its answers go to the file of the same name that ends in
`.answers.json`. Needs Python with PyYAML; the cluster needs nothing but etcd and kube-apiserver
(without the ServiceAccount admission plugin), and is littered afterwards.
"""
import json, ssl, sys, time, urllib.error, urllib.request
import yaml

TYPES = {"apply": "application/apply-patch+yaml", "merge": "application/merge-patch+json",
         "json": "application/json-patch+json", "strategic": "application/strategic-merge-patch+json"}
# What differs from run to run.
VOLATILE = ["uid", "resourceVersion", "creationTimestamp", "generation"]
NAMESPACE = "cases"
server, token = sys.argv[1:3]
context = ssl._create_unverified_context()

def ask(method, path, body=None, content_type="application/json"):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type, "User-Agent": "recorder/1.0"}
    request = urllib.request.Request(server + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)

def normalized(status, body):
    if status >= 400:
        causes = body.get("details", {}).get("causes", [])
        return {"status": status, "reason": body.get("reason", ""), "message": body["message"], "causes": causes}
    for name in VOLATILE:
        body["metadata"].pop(name, None)
    for entry in body["metadata"].get("managedFields", []):
        if "time" in entry:
            entry["time"] = "T"
    return {"status": status, "object": body}

def play(case, resources):
    resource = resources[case["resource"]]
    base = resource["path"] + (f"/namespaces/{NAMESPACE}" if resource.get("namespaced", True) else "")
    collection, answers = f"{base}/{resource['plural']}", []
    for step in case["steps"]:
        verb = next(verb for verb in [*TYPES, "create"] if verb in step)
        body = step[verb]
        item = f"{collection}/{case['object']}" + (f"/{step['subresource']}" if "subresource" in step else "")
        query = f"?fieldManager={step.get('by', 'tester')}" + ("&force=true" if step.get("force") else "")
        if verb == "create":
            answer = ask("POST", collection + query, body)
        else:
            answer = ask("PATCH", item + query, body, TYPES[verb])
        answers.append(normalized(*answer))
        # Times have no fractions: whether one moved is seen only a second later.
        time.sleep(step.get("pause", 0))
    return answers

def prepare(resources):
    ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    for resource in resources.values():
        if "schema" in resource:
            kind, group = resource["kind"], resource["path"].split("/")[2]
            names = {"plural": resource["plural"], "singular": kind.lower(), "kind": kind, "listKind": kind + "List"}
            version = {"name": resource["path"].split("/")[3], "served": True, "storage": True,
                       "schema": {"openAPIV3Schema": resource["schema"]}, "subresources": {"status": {}}}
            spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
            name = f"{resource['plural']}.{group}"
            crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                   "metadata": {"name": name}, "spec": spec}
            print(name, ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)[0])
            time.sleep(3)

for path in sys.argv[3:]:
    with open(path) as file:
        document = yaml.safe_load(file)
    prepare(document["resources"])
    answers = {case["name"]: play(case, document["resources"]) for case in document["cases"]}
    with open(path.removesuffix(".yaml") + ".answers.json", "w") as file:
        json.dump(answers, file, indent=1, sort_keys=True)
        file.write("\n")
    print(path, len(answers), "cases")
