# SPDX-License-Identifier: Apache-2.0
"""What tritonclient's gRPC side makes of a server: run with its own Python as `triton_grpc_client.py WHAT HOST:PORT ...`, prints JSON.

WHAT is the name of a function below; test_open_inference_grpc.py says what each is for.
"""

import json
import queue
import sys
import threading
import time

import grpc
import numpy as np
import tritonclient.grpc as triton
from google.protobuf import descriptor_pb2
from google.protobuf.json_format import MessageToDict
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

HEALTH = "/grpc.health.v1.Health/Check"


def tensor(name, datatype, array):
    made = triton.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array)
    return [made]


def files_in(files):
    return np.array([open(file, "rb").read() for file in files], dtype=np.object_)


def texts(array):
    return [each.decode() for each in array.flatten()]


def answer_of(result):
    response = result.get_response()
    return {"probabilities": result.as_numpy("probabilities").tolist(), "label": texts(result.as_numpy("label")),
            "model": response.model_name, "version": response.model_version, "id": response.id}


def failure(work):
    try:
        work()
    except triton.InferenceServerException as error:
        return {"status": (error.status() or "").removeprefix("StatusCode."), "message": error.message()}
    except grpc.RpcError as error:
        return {"status": error.code().name, "message": error.details(), "trailing": dict(error.trailing_metadata())}
    return {"status": "OK", "message": ""}


def typed(stub, model, name, datatype, shape, **contents):
    """Without raw_input_contents, as KServe's own examples send."""
    request = service_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name=name, datatype=datatype, shape=shape, contents=service_pb2.InferTensorContents(**contents))
    response = stub.ModelInfer(request, timeout=30)
    by_name = {output.name: output.contents for output in response.outputs}
    return {"probabilities": np.array(by_name["probabilities"].fp32_contents).reshape(shape[0], -1).tolist(),
            "label": [each.decode() for each in by_name["label"].bytes_contents], "raw": len(response.raw_output_contents)}


def stream_of(client, requests):
    """The answers to (model, inputs, id) on one stream: a label, or the text of the error."""
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put(error.message() if error else answer_of(result)["label"]))
    for model, inputs, request_id in requests:
        client.async_stream_infer(model, inputs, request_id=request_id)
    seen = [answers.get(timeout=30) for _ in requests]
    client.stop_stream()
    return seen


def tour(address, model, raw, *files):
    client = triton.InferenceServerClient(address)
    channel = grpc.insecure_channel(address)
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    encoded, arrays = files_in(files), np.load(raw)
    pixels, planes = arrays["pixels"], arrays["input"]
    images = tensor("image", "BYTES", encoded)

    def repository():
        return {f"{row.name}:{row.version}": row.state for row in client.get_model_repository_index().models}

    seen = {"live": client.is_server_live(), "ready": client.is_server_ready(),
            "server": client.get_server_metadata(as_json=True), "metadata": client.get_model_metadata(model, as_json=True),
            "config": client.get_model_config(model, as_json=True)["config"], "repository": repository(),
            "model_ready": [client.is_model_ready(model), client.is_model_ready(model, "1"), client.is_model_ready("nosuch")],
            "health": list(channel.unary_unary(HEALTH)(b"", timeout=10))}
    seen["answers"] = {
        "bytes": answer_of(client.infer(model, images, request_id="mine")),
        "bytes in columns": answer_of(client.infer(model, tensor("image", "BYTES", encoded.reshape(-1, 1)))),
        "pixels": answer_of(client.infer(model, tensor("pixels", "UINT8", pixels))),
        "input": answer_of(client.infer(model, tensor("input", "FP32", planes))),
        "version 1": answer_of(client.infer(model, images, model_version="1", priority=1, timeout=20_000_000)),
    }
    seen["typed"] = {
        "bytes": typed(stub, model, "image", "BYTES", [len(files)], bytes_contents=list(encoded)),
        "pixels": typed(stub, model, "pixels", "UINT8", pixels.shape, uint_contents=pixels.flatten().tolist()),
        "input": typed(stub, model, "input", "FP32", planes.shape, fp32_contents=planes.flatten().tolist()),
    }
    wanted = [triton.InferRequestedOutput("probabilities", class_count=3)]
    seen["likeliest"] = [texts(row) for row in client.infer(model, images, outputs=wanted).as_numpy("probabilities")]
    one = tensor("image", "BYTES", encoded[:1])
    seen["stream"] = stream_of(client, [("nosuch" if i == 5 else model, images, str(i)) for i in range(40)])
    seen["errors"] = {
        "unknown model": failure(lambda: client.infer("nosuch", one)),
        "unknown version": failure(lambda: client.infer(model, one, model_version="99")),
        "wrong shape": failure(lambda: client.infer(model, tensor("input", "FP32", planes[:, :, 1:]))),
        "wrong name": failure(lambda: client.infer(model, tensor("images", "BYTES", encoded))),
        "wrong datatype": failure(lambda: client.infer(model, tensor("input", "FP64", planes.astype(np.float64)))),
        "no image": failure(lambda: client.infer(model, tensor("image", "BYTES", np.array([b"text"], dtype=np.object_)))),
        "bad priority": failure(lambda: client.infer(model, one, priority=9)),
        "late": failure(lambda: client.infer(model, one, timeout=1)),
        "late by header": failure(lambda: client.infer(model, one, headers={"x-request-timeout-ms": "soon"})),
        "too large": failure(lambda: client.infer(model, tensor("pixels", "UINT8", np.zeros((3, 3500, 3500, 3), np.uint8)))),
        "compressed": failure(lambda: client.infer(model, images, compression_algorithm="gzip")),
        "unload": failure(lambda: client.unload_model(model)),
        "load nothing": failure(lambda: client.load_model("nosuch")),
        "no shared memory": failure(lambda: client.get_system_shared_memory_status()),
    }
    client.load_model("other")
    seen["repository after load"] = repository()
    seen["other"] = answer_of(client.infer("other", images))
    client.unload_model("other")
    seen["repository after unload"] = repository()
    seen["stats"] = MessageToDict(client.get_inference_statistics(model))["modelStats"]
    return seen


def many(address, model, file, seconds, times=1):
    """How calls with 256 images and that deadline end, on a connection that is there."""
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    request = service_pb2.ModelInferRequest(model_name=model)
    images = [open(file, "rb").read()] * 256
    request.inputs.add(name="image", datatype="BYTES", shape=[256],
                       contents=service_pb2.InferTensorContents(bytes_contents=images))
    stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=10)
    return [failure(lambda: stub.ModelInfer(request, timeout=float(seconds))) for _ in range(int(times))]


def who(address, model, file, *keys):
    """What each key may do; "" is none."""
    client = triton.InferenceServerClient(address)
    image = tensor("image", "BYTES", files_in([file]))
    seen = {}
    for key in ("", *keys):
        headers = {"x-api-key": key} if key else {}
        bearer = {"authorization": f"Bearer {key}"} if key else {}
        seen[key] = {"live": failure(lambda: client.is_server_live(headers=headers))["status"],
                     "infer": failure(lambda: client.infer(model, image, headers=headers))["status"],
                     "bearer": failure(lambda: client.get_model_metadata(model, headers=bearer))["status"],
                     "load": failure(lambda: client.load_model(model, headers=headers))["status"]}
    return seen


def often(address, model, times):
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    return [failure(lambda: stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=10)) for _ in range(int(times))]


def load(address, model, file, seconds):
    """How calls end, in order of time, while eight threads ask for so long."""
    ended, until = [], time.monotonic() + float(seconds)
    image = tensor("image", "BYTES", files_in([file]))

    def ask():
        client = triton.InferenceServerClient(address)
        while time.monotonic() < until:
            ended.append(failure(lambda: client.infer(model, image, client_timeout=20))["status"])
            if ended[-1] != "OK":
                return

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {status: ended.count(status) for status in set(ended)}


def secure(address, model, certificate, file):
    """Over TLS, trusting that certificate; and without TLS at the same port."""
    client = triton.InferenceServerClient(address, ssl=True, root_certificates=certificate)
    plain = triton.InferenceServerClient(address)
    image = tensor("image", "BYTES", files_in([file]))
    return {"label": answer_of(client.infer(model, image))["label"],
            "plain": failure(lambda: plain.infer(model, image, client_timeout=5))["status"]}


def descriptors(ours):
    """Where our .proto, compiled into the file `ours`, differs from tritonclient's."""
    theirs = {}

    def learn(message, prefix=""):
        theirs[prefix + message.name] = {(f.name, f.number, f.type, f.label) for f in message.field}
        for nested in message.nested_type:
            learn(nested, f"{prefix}{message.name}.")

    services, enums, differences = {}, {}, []
    for module in (service_pb2, model_config_pb2):
        file = descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        for message in file.message_type:
            learn(message)
        enums |= {enum.name: {(v.name, v.number) for v in enum.value} for enum in file.enum_type}
        services |= {m.name: (m.input_type, m.output_type, m.client_streaming, m.server_streaming)
                     for service in file.service for m in service.method}

    def compare(message, prefix=""):
        name = prefix + message.name
        differences.extend((name, field.name) for field in message.field
                           if (field.name, field.number, field.type, field.label) not in theirs.get(name, set()))
        for nested in message.nested_type:
            compare(nested, f"{name}.")

    compiled = descriptor_pb2.FileDescriptorSet.FromString(open(ours, "rb").read()).file[0]
    for message in compiled.message_type:
        compare(message)
    for enum in compiled.enum_type:
        differences.extend((enum.name, v.name) for v in enum.value if (v.name, v.number) not in enums.get(enum.name, set()))
    for method in compiled.service[0].method:
        mine = (method.input_type, method.output_type, method.client_streaming, method.server_streaming)
        if services.get(method.name) != mine:
            differences.append(("service", method.name))
    return {"differences": differences, "messages": len(compiled.message_type), "package": compiled.package,
            "service": compiled.service[0].name}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
