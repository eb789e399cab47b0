# SPDX-License-Identifier: Apache-2.0
"""What tritonclient makes of a server: run with its own Python as `triton_client.py HOST:PORT MODEL RAW IMAGE...`, prints JSON.

RAW is a NumPy file: "pixels", UINT8 [n, h, w, 3], and "input", FP32 [n, 3, h, w], of the same images.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton


def infer(client, model, name, datatype, array, binary=True, outputs=None, **options):
    tensor = triton.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    wanted = [triton.InferRequestedOutput(output, **how) for output, how in outputs or []]
    return client.infer(model, [tensor], outputs=wanted or None, **options)


def texts(array):
    """Of a BYTES tensor: bytes when it came as such, strings when it came in JSON."""
    return [each.decode() if isinstance(each, bytes) else each for each in array.flatten()]


def answer_of(result):
    return {"probabilities": result.as_numpy("probabilities").tolist(), "label": texts(result.as_numpy("label")),
            "model": result.get_response()["model_name"], "version": result.get_response()["model_version"]}


def failure(work):
    try:
        work()
    except triton.InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


def main(address, model, raw, *files):
    client = triton.InferenceServerClient(address, network_timeout=30.0, connection_timeout=30.0)
    encoded = np.array([open(file, "rb").read() for file in files], dtype=np.object_)
    arrays = np.load(raw)
    pixels, planes = arrays["pixels"], arrays["input"]
    plain = [("probabilities", {"binary_data": False}), ("label", {"binary_data": False})]

    def repository():
        return {f"{row['name']}:{row['version']}": row["state"] for row in client.get_model_repository_index()}

    seen = {"live": client.is_server_live(), "ready": client.is_server_ready(), "server": client.get_server_metadata(),
            "model_ready": [client.is_model_ready(model), client.is_model_ready(model, "1"), client.is_model_ready("nosuch")],
            "metadata": client.get_model_metadata(model), "repository": repository()}
    seen["answers"] = {
        "bytes": answer_of(infer(client, model, "image", "BYTES", encoded)),
        "bytes in columns": answer_of(infer(client, model, "image", "BYTES", encoded.reshape(-1, 1))),
        "pixels": answer_of(infer(client, model, "pixels", "UINT8", pixels)),
        "pixels as json": answer_of(infer(client, model, "pixels", "UINT8", pixels, binary=False, outputs=plain)),
        "packed": answer_of(infer(client, model, "pixels", "UINT8", pixels, request_compression_algorithm="gzip",
                                  response_compression_algorithm="gzip")),
        "packed otherwise": answer_of(infer(client, model, "image", "BYTES", encoded, request_compression_algorithm="deflate",
                                            response_compression_algorithm="deflate")),
        "input": answer_of(infer(client, model, "input", "FP32", planes)),
        "input as json": answer_of(infer(client, model, "input", "FP32", planes, binary=False, outputs=plain)),
        "version 1": answer_of(infer(client, model, "image", "BYTES", encoded, model_version="1", request_id="7")),
    }
    likeliest = infer(client, model, "image", "BYTES", encoded, outputs=[("probabilities", {"class_count": 3})])
    seen["likeliest"] = [texts(row) for row in likeliest.as_numpy("probabilities")]
    seen["id"] = infer(client, model, "image", "BYTES", encoded[:1], request_id="mine").get_response()["id"]
    seen["concurrent"] = [answer_of(request.get_result())["label"]
                          for request in [client.async_infer(model, make_inputs(encoded)) for _ in range(8)]]
    seen["errors"] = {
        "unknown model": failure(lambda: infer(client, "nosuch", "image", "BYTES", encoded)),
        "unknown version": failure(lambda: infer(client, model, "image", "BYTES", encoded, model_version="99")),
        "wrong shape": failure(lambda: infer(client, model, "input", "FP32", planes[:, :, 1:])),
        "wrong name": failure(lambda: infer(client, model, "images", "BYTES", encoded)),
        "wrong datatype": failure(lambda: infer(client, model, "input", "FP64", planes.astype(np.float64))),
        "no image": failure(lambda: infer(client, model, "image", "BYTES", np.array([b"text"], dtype=np.object_))),
        "late": failure(lambda: infer(client, model, "image", "BYTES", encoded, timeout=1)),
        "unload": failure(lambda: client.unload_model(model)),
        "load nothing": failure(lambda: client.load_model("nosuch")),
    }
    client.load_model("other")
    seen["repository after load"] = repository()
    seen["other"] = answer_of(infer(client, "other", "image", "BYTES", encoded))
    client.unload_model("other")
    seen["repository after unload"] = repository()
    seen["stats"] = client.get_inference_statistics(model)["model_stats"]
    print(json.dumps(seen))


def make_inputs(encoded):
    tensor = triton.InferInput("image", list(encoded.shape), "BYTES")
    tensor.set_data_from_numpy(encoded)
    return [tensor]


if __name__ == "__main__":
    main(*sys.argv[1:])
