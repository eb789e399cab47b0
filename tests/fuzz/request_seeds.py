# SPDX-License-Identifier: Apache-2.0
"""What the requests that scripts/fuzz sends start from: each route of the API as its clients ask, in every form that it takes.

{{upload}}, {{feedback}}, {{job}}, {{run}} and {{sha256}} stand for ids that answers held.
"""

import base64
import gzip
import io
import json
import struct
import zipfile
import zlib

import seeds

MODEL, OTHER, DATASET = "small", "other", "small"  # OTHER is what is loaded, promoted and taken away
SIDE = 32
JSON = {"Content-Type": "application/json"}


def png(red, green, blue, side=SIDE):
    """A square of one colour with a few darker dots: no two are alike, and no library is needed."""
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            dark = (x * 7 + y * 13 + red + 3 * green + 5 * blue) % 11 == 0
            rows += bytes(c // 2 if dark else c for c in (red, green, blue))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")


def request(method, target, body=b"", **headers):
    lines = [f"{method} {target} HTTP/1.1"] + [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sent_as_json(method, target, value):
    return request(method, target, json.dumps(value).encode(), **JSON)


def form(target, *parts):
    """`parts` are (name, file name or None, content)."""
    body = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename else ""
        body += f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return request("POST", target, body + b"--b0undary--\r\n", Content_Type="multipart/form-data; boundary=b0undary")


def pictures():
    """Small ones of every format."""
    found = [content for name, contents in seeds.pictures().items() for content in contents[:4]]
    return [content for content in found if len(content) < 4096] + [png(200, 40, 40), png(40, 40, 200)]


def predictions():
    images = pictures()
    flat, rows = [(i * 37) % 256 for i in range(SIDE * SIDE * 3)], [[[0, 128, 255]] * 4] * 3
    encoded = base64.b64encode(images[0]).decode()
    for target in ("/predict", "/v1/predict", f"/v1/models/{MODEL}/predict", f"/v1/models/{MODEL}/versions/1/predict"):
        for image in images:
            yield request("POST", target, image, Content_Type="application/octet-stream")
        for name in ("file", "image", "data", "files[]", "anything"):
            yield form(target, (name, "cat.png", images[0]))
        yield form(target + "?prediction=index", ("note", None, b"x"), ("file", "naïve.jpg", images[1]))
        yield sent_as_json("POST", target, {"image": flat})
        yield sent_as_json("POST", target, {"image": [x / 255 for x in flat[:27]], "layout": "chw", "range": "0-1"})
        yield sent_as_json("POST", target, {"image": rows, "range": "0-255", "filename": "a"})
        yield sent_as_json("POST", target + "?fields=prediction,confidence", {"image": encoded})
        yield sent_as_json("POST", target + "?details=energy", {"image": "data:image/png;base64," + encoded})
        yield request("POST", target, gzip.compress(json.dumps({"image": flat}).encode()), Content_Encoding="gzip", Accept_Encoding="gzip", **JSON)
        yield request("POST", target, zlib.compress(images[0]), Content_Type="image/png", Content_Encoding="deflate")
        yield request("POST", target, images[0], Content_Type="image/png", X_Request_Timeout_Ms="1000", X_Request_Priority="high", X_AB_Key="me")


def many():
    """Several images in one request, some of which are none."""
    images = pictures()
    encoded = base64.b64encode(images[0]).decode()
    for target in ("/v1/predict/many", f"/v1/models/{MODEL}/predict/many", f"/v1/models/{MODEL}/versions/1/predict/many"):
        yield form(target, *(("files", f"{i}.png", image) for i, image in enumerate(images[:8])))
        yield form(target + "?top=2&fields=prediction", ("a", "a.png", images[0]), ("b", "b.png", b"no image"), ("note", None, b"x"))
        yield sent_as_json("POST", target, {"images": [encoded, {"image": encoded, "filename": "b"}, "bm8=", [[[0, 1, 2]] * 2] * 2], "range": "0-255"})


def inferences():
    """Version 2 of the protocol: JSON, bytes after the JSON, a bare image."""
    image = pictures()[0]
    encoded = base64.b64encode(image).decode()
    tensors = [
        {"name": "image", "datatype": "BYTES", "shape": [1], "data": [encoded]},
        {"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": [[[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 255]]]]},
        {"name": "input", "datatype": "FP32", "shape": [1, 3, SIDE, SIDE], "data": [(i % 7) / 7 for i in range(3 * SIDE * SIDE)]},
    ]
    packed = struct.pack("<I", len(image)) + image
    raw = [("image", "BYTES", [2], packed * 2), ("pixels", "UINT8", [1, 2, 2, 3], bytes(range(12))), ("input", "FP32", [1, 3, SIDE, SIDE], bytes(4 * 3 * SIDE * SIDE))]
    for target in (f"/v2/models/{MODEL}/infer", f"/v2/models/{MODEL}/versions/1/infer"):
        for tensor in tensors:
            yield sent_as_json("POST", target, {"id": "1", "inputs": [tensor]})
        yield sent_as_json("POST", target, {"inputs": tensors[:1], "outputs": [{"name": "probabilities", "parameters": {"classification": 3}}, {"name": "label"}]})
        yield sent_as_json("POST", target, {"inputs": tensors[1:2], "parameters": {"binary_data_output": True, "timeout": 1000000}})
        for name, datatype, shape, content in raw:
            tensor = {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(content)}}
            head = json.dumps({"inputs": [tensor], "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}).encode()
            yield request("POST", target, head + content, Content_Type="application/octet-stream", Inference_Header_Content_Length=len(head))
        yield request("POST", target, image, Inference_Header_Content_Length=0)


READS = ["/", "/health", "/startup", "/ready", "/uptime", "/status", "/metrics", "/metrics?format=prometheus", "/metrics/prometheus", "/v1/stats", "/v1/stats?seconds=60",
         "/openapi.json", "/docs", "/docs/", "/docs/swagger-ui.css", "/redoc", "/favicon.ico", "/v1/uploads", "/v1/uploads/{{upload}}", "/v1/datasets", f"/v1/datasets/{DATASET}",
         f"/v1/datasets/{DATASET}/samples?label=red&split=test&limit=3", f"/v1/datasets/{DATASET}/images/{{{{sha256}}}}", "/training-status", "/training-status?job_id={{job}}",
         "/v1/jobs", "/v1/jobs?limit=2&state=failed", "/v1/jobs/{{job}}", "/v1/jobs/events", "/v1/recipes", "/v1/recipes/quick", "/v1/models", f"/v1/models/{MODEL}",
         f"/v1/models/{OTHER}/versions/1", f"/v1/models/{OTHER}/history?alias=champion", "/v1/runs", "/v1/runs?limit=1", "/v1/runs/{{run}}", "/v2", "/v2/health/live",
         "/v2/health/ready", "/v2/models/stats", f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/ready", f"/v2/models/{MODEL}/stats", f"/v2/models/{MODEL}/versions/1",
         "/v1/audit?limit=3", "/v1/audit?action=train&since=2026-01-01T00:00:00Z", "/v1/feedback", "/v1/feedback?correct=false&limit=2&offset=1",
         f"/v1/datasets/{DATASET}/versions?limit=1", f"/v1/models/{OTHER}/versions?limit=1&offset=1", f"/v1/models/{MODEL}/batch", f"/v1/models/{OTHER}/aliases",
         f"/v1/models/{OTHER}/aliases/champion", f"/v1/models/{MODEL}/versions/1/abstention", f"/v2/models/{OTHER}/versions/1/ready", f"/v2/models/{MODEL}/versions/1/stats"]


def reads():
    for target in READS:
        yield request("GET", target, Accept="*/*")
    yield request("GET", "/", Accept="text/html,application/xhtml+xml")
    yield request("GET", "/metrics", Accept="application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    yield request("GET", "/openapi.json", Accept_Encoding="gzip, deflate;q=0.5, *;q=0")
    yield request("HEAD", "/predict", Accept="*/*")
    yield request("HEAD", "/openapi.json", If_None_Match='"x"')


def small_writes():
    """What leaves nothing behind that grows, or only with ids that there are not many of."""
    yield sent_as_json("POST", "/v2/repository/index", {"ready": True})
    yield sent_as_json("PATCH", "/v1/uploads/{{upload}}", {"label": "red"})
    yield sent_as_json("PATCH", "/v1/uploads/{{upload}}", {"label": None})
    yield request("DELETE", "/v1/uploads/{{upload}}")
    yield request("POST", "/train/stop")
    yield sent_as_json("POST", "/train/stop", {"job_id": "{{job}}"})
    yield request("DELETE", "/v1/jobs/{{job}}")
    yield sent_as_json("POST", "/retrain", {"files": ["{{upload}}"], "labels": ["nosuch"]})
    yield sent_as_json("POST", "/train", {"dataset": DATASET, "recipe": "nosuch", "epochs": 1})
    yield sent_as_json("POST", f"/v1/models/{OTHER}/rollback", {"alias": "nosuch", "reason": "because"})
    yield request("PUT", f"/v1/models/{OTHER}/aliases/mine", b'{"version": 1}', If_Match='"2"', **JSON)
    yield request("DELETE", "/v1/feedback/{{feedback}}")
    yield request("DELETE", f"/v1/models/{OTHER}/aliases/nosuch")
    yield sent_as_json("POST", "/v1/feedback", {"request_id": "nobody", "label": "red"})


def archives():
    files = {"red/1.png": png(210, 10, 10), "blue/2.png": png(10, 10, 210), "notes.txt": b"not an image"}
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    pixels = seeds.npy("|u1", (2, 4, 4, 3), bytes(range(96)))
    return zipped.getvalue(), seeds.tarred(files, seeds.tarfile.GNU_FORMAT), seeds.zipped({"x_new.npy": pixels, "y_new.npy": seeds.npy("<i8", (2,), struct.pack("<2q", 0, 1))})


def large_writes():
    """What loads models, keeps images and starts trainings; and a little that is a lot."""
    yield request("POST", "/predict", gzip.compress(bytes(50 << 20)), Content_Encoding="gzip", Content_Type="image/png")
    for verb in ("load", "load", "unload", "default"):
        yield sent_as_json("POST", f"/v1/models/{OTHER}/{verb}", {} if verb == "unload" else {"version": 1})
    yield sent_as_json("POST", f"/v2/repository/models/{OTHER}/load", {"parameters": {"version": "2"}})
    yield request("POST", f"/v2/repository/models/{OTHER}/unload")
    yield sent_as_json("POST", f"/v1/models/{OTHER}/promote", {"version": 2, "alias": "champion", "reason": "fuzz"})
    yield sent_as_json("POST", f"/v1/models/{OTHER}/promote", {"version": 1})
    yield sent_as_json("POST", f"/v1/models/{OTHER}/rollback", {})
    yield sent_as_json("PUT", f"/v1/models/{OTHER}/aliases/mine", {"version": 2, "reason": "fuzz"})
    yield request("DELETE", f"/v1/models/{OTHER}/aliases/mine")
    yield sent_as_json("PUT", f"/v1/models/{OTHER}/versions/2/abstention", {"least_confidence": 0.5, "most_energy": -1.5, "reason": "fuzz"})
    yield sent_as_json("PUT", f"/v1/models/{OTHER}/versions/2/abstention", {"least_confidence": [0.1, 0.2, 0.3]})
    yield request("DELETE", f"/v1/models/{OTHER}/versions/2/abstention")
    yield sent_as_json("PUT", f"/v1/models/{OTHER}/batch", {"max_batch": 8})
    yield sent_as_json("POST", "/v1/feedback", {"request_id": "f1", "label": "red", "model": MODEL, "model_version": 1, "prediction": "blue"})
    yield form("/v1/feedback", ("label", None, b"green"), ("file", "a.png", png(20, 180, 20)))
    for target in ("/v1/uploads", "/upload-data", "/upload_data"):
        yield form(target, ("files[]", "red/a.png", png(190, 20, 30)), ("files[]", "b.png", png(20, 190, 30)), ("note", None, b"x"))
        yield form(target, ("file", "a.png", png(20, 20, 170)), ("class_name", None, b"blue"))
        for archive in archives():
            yield request("POST", target + "?name=new.zip&label=red", archive, Content_Type="application/octet-stream")
    yield sent_as_json("POST", "/train", {"dataset": DATASET, "recipe": "quick", "epochs": 1, "seed": 2})
    yield sent_as_json("POST", "/v1/jobs", {"kind": "train", "model": "new", "max_minutes": 0.1})
    yield sent_as_json("POST", "/v1/jobs", {"kind": "retrain", "epochs": 1, "replay": 10, "rate": 0.1, "margin": 0.5})
    yield request("POST", "/retrain")
    yield sent_as_json("POST", "/retrain", {"files": ["{{upload}}", "{{upload}}"], "labels": ["red", "blue"]})
    yield form("/retrain", ("files", "red/a.png", png(180, 20, 30)), ("epochs", None, b"1"))
    for image in pictures()[:3]:
        yield form("/v1/explain?class=1", ("file", "a.png", image))


MAKERS = {"often": (predictions, many, inferences, reads, small_writes), "rare": (large_writes,)}


def write(folder):
    """folder/probe, and one file a request in folder/often and folder/rare."""
    (folder / "probe").write_bytes(request("POST", f"/v1/models/{MODEL}/predict", png(200, 40, 40), Content_Type="image/png"))
    for name, makers in MAKERS.items():
        (folder / name).mkdir()
        requests = [text for maker in makers for text in maker()]
        for number, text in enumerate(requests):
            (folder / name / f"{number:03}").write_bytes(text)
