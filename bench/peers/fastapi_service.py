# SPDX-License-Identifier: Apache-2.0
"""The usual stack: FastAPI on uvicorn. Its documentation has blocking work in plain functions, which run in a pool of threads.

    PEER_PACKAGE=... PEER_ENGINE=torch PEER_THREADS=2 uvicorn fastapi_service:app --workers 1

Answers POST /predict (multipart `file`) and POST /predict_json ({"image": [3072 numbers]}).
"""

from fastapi import FastAPI, File, UploadFile

from served_network import ServedNetwork

network = ServedNetwork()
app = FastAPI()


@app.post("/predict")
def predict(file: UploadFile = File(...)):
    return network.answers([network.decode(file.file.read())])[0]


@app.post("/predict_json")
def predict_json(body: dict):
    return network.answers([network.from_numbers(body["image"])])[0]


@app.get("/health")
def health():
    return {"status": "ok"}
