# SPDX-License-Identifier: Apache-2.0
"""What the fuzzers start from: small sound inputs, made here or taken from the unit tests' pictures and the development data."""

import base64
import gzip
import bz2
import io
import json
import lzma
import os
import pickle
import re
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("IMAGO_DATA", ROOT.parent / "shared" / "data"))
MAGIC = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"RIFF": "webp", b"GIF8": "gif", b"BM": "bmp"}


def pictures():
    """The unit tests' own, by format."""
    found = {}
    for text in re.findall(r'string_view k\w+ =\s*((?:"[^"]*"\s*)+);', (ROOT / "src/image/test_images.hpp").read_text()):
        content = base64.b64decode("".join(re.findall(r'"([^"]*)"', text)))
        for magic, name in MAGIC.items():
            if content.startswith(magic):
                found.setdefault(name, []).append(content)
    assert len(found) == len(MAGIC), f"src/image/test_images.hpp has only {sorted(found)}"
    for path in sorted(DATA.glob("**/*.jpg"))[:20]:
        if path.stat().st_size < 8192:
            found["jpeg"].append(path.read_bytes())
    return found


def exif(orientation, order="<"):
    return {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def npy(descr, shape, data, fortran=False):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def arrays():
    pixels = {"u1": npy("|u1", (3, 2, 2, 3), bytes(range(36))), "gray": npy("|u1", (3, 2, 2), bytes(12)),
              "f4": npy("<f4", (1, 1, 2, 3), struct.pack("<6f", 0, 0.5, 1, 0.1, 0.2, 0.3))}
    labels = {"i8": npy("<i8", (3,), struct.pack("<3q", 0, 1, 2)), "one_hot": npy("<f4", (3, 3), struct.pack("<9f", 1, 0, 0, 0, 1, 0, 0, 0, 1)),
              "text": npy("<U4", (3,), "cat\0dog\0frog".encode("utf-32-le")), "bytes": npy("|S3", (1,), b"cat"), "column": npy("|u1", (3, 1), b"\0\1\2")}
    return pixels, labels


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


def sparse_tar():
    """GNU's old kind: a file of one megabyte, of which one block is there."""
    info = tarfile.TarInfo("sparse")
    info.size = 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT)[:512])
    header[156:157] = b"S"
    header[386:398], header[398:410] = b"%011o\0" % 1000000, b"%011o\0" % 512
    header[483:495] = b"%011o\0" % 1000512
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(512) + bytes(1024)


def pickles():
    """A CIFAR-10 batch's members, without numpy: its array is written by hand, as protocol 2 has it."""
    yield from (pickle.dumps({"label_names": ["airplane", "cat"] * 5, "num_vis": 3072}, protocol) for protocol in (2, 4, 5))
    head = b"\x80\x02}(U\x06labels]q\x04K\x06aU\x04datacnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\0\x85U\x01b\x87R"
    state = b"(K\x01K\x01M\0\x0c\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T\0\x0c\0\0"
    yield head + state + bytes(3072) + b"tbu."
    yield b"\x80\x02c_codecs\nencode\nX\x02\0\0\0\xc3\xbfX\x06\0\0\0latin1\x86R."


def torch_files():
    """PyTorch's own; and without the zip, as the target takes them: the pickle's length, the pickle, a storage's bytes."""
    for path in sorted((ROOT / "src/weights/fixtures").glob("*.pt*")):
        content = path.read_bytes()
        yield content
        if content.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
            yield struct.pack(">H", len(files["data.pkl"])) + files["data.pkl"] + files.get("data/0", b"")


def spec():
    conv = {"out_channels": 2, "kernel": 3, "stride": 1, "padding": [1, 1, 1, 1], "groups": 1, "bias": False, "init": "default", "freeze_weight": False}
    layers = [("conv2d", conv), ("batch_norm2d", {"eps": 1e-5, "momentum": 0.1, "learn_scale": True}), ("activation", {"function": "relu"}),
              ("pool2d", {"pool": "max", "kernel": 2, "stride": 2}), ("global_average_pool", {}), ("dropout", {"probability": 0.5}),
              ("linear", {"out_features": 2, "bias": True}), ("scale", {"factor": 0.5})]
    nodes = [{"name": f"n{i}", "kind": kind, "inputs": [i - 1], **fields} for i, (kind, fields) in enumerate(layers)]
    graph = {"architecture": "tiny", "input": {"channels": 3, "height": 8, "width": 8}, "nodes": nodes}
    preprocess = {"width": 8, "height": 8, "fit": "stretch", "mean": [0, 0, 0], "stddev": [1, 1, 1]}
    whole = {"format": 1, "name": "tiny", "labels": ["cat", "dog"], "aliases": {"kitten": "cat"}, "preprocess": preprocess, "temperature": 1.5, "graph": graph}
    return json.dumps(whole).encode(), json.dumps(graph).encode()


def safetensors(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def form(boundary, *parts):
    body = b"".join(b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
    return b"multipart/form-data; boundary=" + boundary + b"\n" + body + b"--" + boundary + b"--\r\n"


def manifest():
    digest = "ab" * 32
    row = {"path": "train/cat/1.png", "sha256": digest, "label": 0, "split": "train", "width": 8, "height": 6, "source": "a.tar"}
    head = {"imago": "dataset", "format": 1, "name": "pets", "labels": ["cat", "dog"], "parent": "", "entries": 1}
    return (json.dumps(head) + "\n" + json.dumps(row) + "\n").encode()


def seeds():
    """Target -> its inputs."""
    found = pictures()
    found["exif"] = [exif(n, order) for n in (1, 6, 9) for order in "<>"]
    files = {"cat/1.png": found["png"][0], "dog/ä.txt": b"x" * 3000, "empty": b""}
    pixels, labels = arrays()
    found["npy"] = [*pixels.values(), *labels.values()]
    found["arrays"] = [struct.pack(">H", len(x)) + x + y for x in pixels.values() for y in [b"", *labels.values()]]
    found["npz"] = [zipped({f"{x}.npy": pixels["u1"], f"{y}.npy": labels["i8"]}, method) for x, y in (("x_new", "y_new"), ("x_train", "y_train"))
                    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    found["zip"] = [zipped(files, method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)] + [zipped({"bomb": bytes(300000)})]
    plain = [tarred(files, form) for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)] + [sparse_tar()]
    found["tar"] = plain + [pack(plain[0]) for pack in (gzip.compress, bz2.compress, lzma.compress)]
    found["pickle"] = list(pickles())
    found["torch_file"] = list(torch_files())
    found["cifar"] = [b"\x03" + bytes(3072), b"\x03\x07" + bytes(3072), b"train.bin\n" + bytes(10), b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n"]
    found["csv"] = [b"path,label\na.png,cat\n../b.png,dog\n", b'\xef\xbb\xbffile,class,split\r\n"a.png","c""at",test\r\n',
                    b"id;filepath;category\n1;a.png;cat\n2;a.png;dog\n\n", b"PATH\tLABEL\tsplit\na.png\tcat\tval\n", b'path,label\n"a.png,cat']
    found["array_names"] = [b"x_train\ny_train\nX_test\ny_test", b"train_images\ntrain_labels\nval_images\nval_labels\nclass_names", b"arr_0\narr_1",
                            b"pets-data\npets-targets", b"xtrain\nytrain\nweights"]
    found["recipe"] = [path.read_bytes() for path in sorted((ROOT / "recipes").glob("*.yaml"))] + [b"a: &a [1, 2]\nb: [*a, *a]\n"]
    found["settings"] = [b"serve: {port: 8080, hosts: [a, b]}\nquiet: true\n", b"serve:\n  database-password: x\n  port: '1'\n", b"serve: &a {port: *a}\n"]
    found["manifest"] = [manifest(), manifest().replace(b'"parent": ""', b'"parent": "0123456789ab"').replace(b"train/cat/1.png", b"\\u00e4/1.png"),
                         manifest().replace(b'"train"', b'"test"') + manifest().split(b"\n")[1] + b"\n", manifest().split(b"\n")[0]]
    found["package_manifest"] = [json.dumps({"format": 1, "files": {"golden/0.jpg": {"sha256": "ab" * 32, "bytes": 5}}}).encode()]
    file = (b'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png', found["png"][0])
    named = (b"Content-Disposition: form-data; name=x; filename*=UTF-8''na%C3%AFve.png", b"--b")
    found["multipart"] = [form(b"b", file), form(b"----x", file, named), b'multipart/form-data; boundary="a b"\n--a b\r\n\r\n\r\n--a b--']
    found["json"] = [b'{"a": [1, -2.5e3, "\\u00e4\\n", null, true, {}]}', b'{"a": 18446744073709551615}', b"[" * 70]
    found["json_numbers"] = [b"[[[0,1,2],[3,4,5]],[[6,7,8],[9,10,255]]]", b'{"image": [0.5, 1e-3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]}', b"[1e39]"]
    found["json_members"] = [b'{"image": "a\\"b", "x" : [1, {"y": "}"}], "z": null}', b"{}"]
    head = b'{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":7}}],"parameters":{"binary_data_output":true}}'
    found["open_inference"] = [str(len(head)).encode() + b"\n" + head + b"\x03\0\0\0abc", b"0\nabc",
                               b'\n{"id":"1","inputs":[{"name":"input","datatype":"FP32","shape":[1,2],"data":[[0.5,-1]]}],"outputs":[{"name":"label"}]}',
                               b'\n{"inputs":[{"name":"pixels","datatype":"UINT8","shape":[2],"data":[0,255]},{"name":"image","datatype":"BYTES","shape":[1],"data":["IQ=="]}]}']
    found["predict_input"] = [*found["multipart"], b"image/png\n" + found["png"][0], b'application/json\n{"image": [[[0,1,2],[3,4,5]],[[6,7,8],[9,10,255]]]}',
                              b'application/json\n{"image": "data:image/png;base64,' + base64.b64encode(found["png"][0]) + b'", "filename": "a"}']
    tensors = {"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
               "b": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [8, 12]}, "c": {"dtype": "I64", "shape": [], "data_offsets": [12, 20]}}
    found["safetensors"] = [safetensors(tensors, bytes(20)), safetensors({}, b"")]
    found["spec"] = list(spec())
    found["base64"] = [b"aGVs\r\nbG8=", b"-_-_"]
    found["headers"] = [b"text/html;q=0.9, */*\nabc-123", b"application/openmetrics-text; version=1.0.0\n10.0.0.0/8", b"192.168.0.1\n192.168.0.0/16", b"::1\nfd00::/8",
                        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\ncontent-type,x-api-key", b"https://app.example.org\nhttp://localhost:3000"]
    found["compression"] = [gzip.compress(b"hello" * 100), zlib.compress(b"hello" * 100), b"gzip;q=0.5, deflate", b"identity"]
    return found


def write(folder):
    """One folder a target, one file an input."""
    for target, inputs in seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(inputs):
            (folder / target / str(number)).write_bytes(content)
