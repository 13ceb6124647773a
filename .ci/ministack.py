"""Deploys template.yaml and gradual.yaml to a MiniStack on loopback and sends requests through them; see .ci/ministack."""

import io
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PORT, WORK = os.environ["PORT"], os.environ["WORK"]
URL = f"http://127.0.0.1:{PORT}"
AWS = {"endpoint_url": URL, "region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
checks = 0


def check(what, ok, seen=None):
    global checks
    checks += 1
    if not ok:
        sys.exit(f"FAILED: {what}: {seen}")


def eventually(what, ask, seconds=120):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            check(what, True)
            return answer
        if time.monotonic() > end:
            sys.exit(f"FAILED: {what}: not within {seconds} s")
        time.sleep(0.3)


def up():
    try:
        return urllib.request.urlopen(f"{URL}/_ministack/health", timeout=5).status == 200
    except OSError:
        return False


def translated(path):
    """A template as CloudFormation sees it, with the programs of this machine."""
    t = yaml_parse(open(path).read())
    t["Globals"]["Function"]["Architectures"] = ["x86_64" if os.environ["ARCH"] == "amd64" else "arm64"]
    variables = t["Globals"]["Function"]["Environment"]["Variables"]
    for service in "DYNAMODB", "SECRETS_MANAGER", "SQS", "EVENTBRIDGE", "SNS", "SESV2":
        variables["AWS_ENDPOINT_URL_" + service] = URL
    s3 = boto3.client("s3", **AWS)
    s3.create_bucket(Bucket="code")
    for r in t["Resources"].values():
        if r["Type"] != "AWS::Serverless::Function":
            continue
        name = r["Properties"]["CodeUri"].split("/")[1]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
            program = zipfile.ZipInfo("bootstrap")
            program.external_attr = 0o755 << 16
            z.writestr(program, open(f"{WORK}/{name}/bootstrap", "rb").read(), zipfile.ZIP_DEFLATED)
        s3.put_object(Bucket="code", Key=name + ".zip", Body=packed.getvalue())
        r["Properties"]["CodeUri"] = f"s3://code/{name}.zip"
    t = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1")).translate(t, {})
    t.pop("Transform", None)
    return t


def simplified(t):
    """Makes routes of the OpenAPI document, which the emulator does not read, and leaves out alarms that compute, and CodeDeploy."""
    api = t["Resources"]["Api"]["Properties"]
    document = api.pop("Body")
    api.pop("FailOnWarnings", None)
    api |= {"ProtocolType": "HTTP", "Name": "scim"}
    for i, (path, item) in enumerate(document["paths"].items()):
        operation = item["x-amazon-apigateway-any-method"]
        integration = operation["x-amazon-apigateway-integration"]
        t["Resources"][f"Integration{i}"] = {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {
            "ApiId": {"Ref": "Api"}, "IntegrationType": "AWS_PROXY", "IntegrationUri": integration["uri"],
            "PayloadFormatVersion": integration["payloadFormatVersion"],
        }}
        t["Resources"][f"Route{i}"] = {"Type": "AWS::ApiGatewayV2::Route", "Properties": {
            "ApiId": {"Ref": "Api"}, "RouteKey": "$default" if path == "/$default" else "ANY " + path,
            "Target": {"Fn::Sub": "integrations/${Integration%d}" % i},
            "AuthorizationType": "AWS_IAM" if operation.get("security") else "NONE",
        }}
    left_out = [n for n, r in t["Resources"].items() if r["Type"].startswith("AWS::CodeDeploy::") or
                r["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in r["Properties"]]
    for name in left_out:
        del t["Resources"][name]
    for r in t["Resources"].values():
        r.pop("UpdatePolicy", None)  # of CodeDeploy
    print("left out, as the emulator can't do it:", ", ".join(left_out))
    return t


def deploy(path, **parameters):
    """Creates or updates the stack, and returns its outputs."""
    t = simplified(translated(path))
    boto3.client("s3", **AWS).put_object(Bucket="code", Key="template.json", Body=json.dumps(t))
    cloudformation = boto3.client("cloudformation", **AWS)
    there = cloudformation.list_stacks()["StackSummaries"]
    (cloudformation.update_stack if there else cloudformation.create_stack)(
        StackName="scim", TemplateURL=f"{URL}/code/template.json", Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()])
    def ended():
        stack = cloudformation.describe_stacks(StackName="scim")["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack
    stack = eventually("the stack ends", ended)
    failed = [(e["LogicalResourceId"], e.get("ResourceStatusReason"))
              for e in cloudformation.describe_stack_events(StackName="scim")["StackEvents"]
              if "FAILED" in e["ResourceStatus"]]
    check("the stack is there", stack["StackStatus"] == ("UPDATE_COMPLETE" if there else "CREATE_COMPLETE"), failed)
    print(path, len(t["Resources"]), "resources")
    return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}


def call(method, path, body=None, token="", sign=False):
    """Sends a request through the gateway and returns status and body."""
    headers = {"Host": HOST}
    data = None if body is None else json.dumps(body).encode()
    if data:
        headers["Content-Type"] = "application/json" if path.startswith("/admin") else "application/scim+json"
    if token:
        headers["Authorization"] = "Bearer " + token
    if sign:
        request = AWSRequest(method, f"http://{HOST}{path}", data=data, headers=dict(headers))
        SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(request)
        headers = dict(request.headers)
    request = urllib.request.Request(URL + path, data=data, headers=headers, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=60)
        status, text = answer.status, answer.read()
    except urllib.error.HTTPError as e:
        status, text = e.code, e.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def want(status, method, path, body=None, **more):
    got, answer = call(method, path, body, **more)
    check(f"{method} {path} is {status}", got == status, (got, answer))
    return answer


def requests(out):
    want(403, "GET", "/admin/v1/tenants")  # the gateway asks for a signature
    tenant = want(201, "POST", "/admin/v1/tenants", {"id": "acme", "name": "Acme Ltd", "idp": "entra"}, sign=True)
    token, base = tenant["token"]["value"], "/scim/v2/acme"
    secrets = boto3.client("secretsmanager", **AWS)
    stored = secrets.get_secret_value(SecretId=out["SecretPrefix"] + "acme")["SecretString"]
    check("the token is in Secrets Manager", token in stored)

    want(401, "GET", base + "/Users")
    want(401, "GET", base + "/Users", token=token + "x")
    want(401, "GET", "/scim/v2/other/Users", token=token)
    ann = want(201, "POST", base + "/Users", {
        "schemas": [USER], "userName": "ann@example.com", "externalId": "1", "displayName": "Ann", "active": True,
    }, token=token)
    want(409, "POST", base + "/Users", {"schemas": [USER], "userName": "ANN@example.com"}, token=token)
    found = want(200, "GET", base + "/Users?filter=userName%20eq%20%22ann@example.com%22", token=token)
    check("the filter finds one", found["totalResults"] == 1, found)
    group = want(201, "POST", base + "/Groups", {
        "schemas": [GROUP], "displayName": "Admins", "members": [{"value": ann["id"]}],
    }, token=token)
    want(200, "PATCH", f"{base}/Users/{ann['id']}", {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Replace", "path": "displayName", "value": "Ann Lee"}],
    }, token=token)
    for path in "/ServiceProviderConfig", "/Schemas", "/ResourceTypes", f"/Groups/{group['id']}":
        want(200, "GET", base + path, token=token)
    want(200, "POST", base + "/Bulk", {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "POST", "path": "/Users", "bulkId": "b", "data": {
            "schemas": [USER], "userName": "bob@example.com", "externalId": "2"}}],
    }, token=token)
    want(404, "GET", base + "/Nothing", token=token)
    want(400, "POST", "/oauth2/acme/token")

    # The table's stream wakes the function that publishes; the queue takes its events to the function that delivers.
    role = {"id": "admins", "group": {"pattern": "^Admins$"}, "assign": {"kind": "role", "target": "admin"}}
    policy = {"kinds": {"role": {"create": True}}, "rules": [role]}
    want(200, "PUT", "/admin/v1/tenants/acme/policy", policy, sign=True)
    def admin():
        members = want(200, "GET", "/admin/v1/tenants/acme/members", sign=True)["members"]
        return [m for m in members if any(a["target"] == "admin" for a in m["assignments"])]
    check("Ann is admin", [m["id"] for m in eventually("the rule gives", admin)] == [ann["id"]])
    eventually("the change is published", lambda: [
        e for e in want(200, "GET", "/admin/v1/tenants/acme/events?count=500", sign=True)["events"]
        if e["type"] == "member.changed" or e["type"] == "member.created"])
    dynamodb = boto3.client("dynamodb", **AWS)
    eventually("the events are on the bus", lambda: [
        i for i in scan(dynamodb, out["TableName"]) if i["sk"]["S"] == "bus" or "bus" in i["sk"]["S"].split("#")])

    link = want(201, "POST", "/admin/v1/tenants/acme/setup-links", {"role": "admin", "language": "en"}, sign=True)
    page = want(200, "GET", "/setup/" + link["id"])
    check("the set-up page has a form", b"<form" in page)
    want(303, "GET", "/portal")

    want(204, "DELETE", f"{base}/Users/{ann['id']}", token=token)
    want(404, "GET", f"{base}/Users/{ann['id']}", token=token)
    want(202, "DELETE", "/admin/v1/tenants/acme", sign=True)
    want(401, "GET", base + "/Users", token=token)
    eventually("the deleted tenant is gone", lambda: not [
        i for i in scan(dynamodb, out["TableName"]) if i["pk"]["S"].startswith("T#acme")])


def scan(dynamodb, table):
    return dynamodb.scan(TableName=table, ProjectionExpression="pk, sk")["Items"]


def gradual(out):
    """Changes the stack to the template with aliases, which CodeDeploy would move in steps, and back."""
    lambdas = boto3.client("lambda", **AWS)
    for version, level in ("1", "INFO"), ("2", "DEBUG"):  # a new value of a parameter needs a new version
        subprocess.run(["bash", "functions/gradual"], check=True)
        check("the outputs are the same", deploy("gradual.yaml", LogLevel=level) == out)
        through_aliases(lambdas, True)
        for f in lambdas.list_functions(MaxItems=100)["Functions"]:
            alias = lambdas.get_alias(FunctionName=f["FunctionName"], Name="live")
            check("the alias has the new version", alias["FunctionVersion"] == version, alias)
            run = lambdas.get_function_configuration(FunctionName=f["FunctionName"], Qualifier="live")
            check("it has the new value", run["Environment"]["Variables"]["LOG_LEVEL"] == level, run)
    requests(out)
    check("the outputs are the same", deploy("template.yaml") == out)
    through_aliases(lambdas, False)
    want(200, "GET", "/admin/v1/tenants", sign=True)


def through_aliases(lambdas, yes):
    """Checks that all that calls functions calls their aliases, or that nothing does."""
    gateway = boto3.client("apigatewayv2", **AWS)
    api = gateway.get_apis()["Items"][0]["ApiId"]
    scheduler = boto3.client("scheduler", **AWS)
    called = [i["IntegrationUri"].removesuffix("/invocations")
              for i in gateway.get_integrations(ApiId=api, MaxResults="100")["Items"]]
    called += [m["FunctionArn"] for m in lambdas.list_event_source_mappings()["EventSourceMappings"]]
    called += [scheduler.get_schedule(Name=s["Name"], GroupName=s["GroupName"])["Target"]["Arn"]
               for s in scheduler.list_schedules()["Schedules"]]
    check("routes, mappings and schedules", len(called) > 10 and all(c.endswith(":live") == yes for c in called), called)


class Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


urllib.request.install_opener(urllib.request.build_opener(Unfollowed))
eventually("the emulator answers", up)
outputs = deploy("template.yaml")
HOST = f"{boto3.client('apigatewayv2', **AWS).get_apis()['Items'][0]['ApiId']}.execute-api.localhost:{PORT}"
requests(outputs)
gradual(outputs)
print(checks, "checks passed")
