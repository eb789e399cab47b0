# Two images from one source, both on Debian 12, both running as a user of their own:
#   docker build --target serve -t imago:0.1.0 .          what serving needs and nothing else
#   docker build --target full -t imago:0.1.0-full .      with the trainer: data, training and retraining too
# deploy/docker/verify carries out every step of this file without Docker and checks what comes out.

FROM debian:12.11-slim AS build
WORKDIR /src
# What is installed depends on these files only, so a change of the source reuses the layer.
COPY scripts/setup scripts/setup
COPY requirements/build.txt requirements/build.txt
COPY web/package.json web/package-lock.json web/
RUN scripts/setup build && rm -rf /var/lib/apt/lists/*
COPY . .
# hadolint ignore=SC2016
RUN cmake --preset release -DCMAKE_BUILD_RPATH='$ORIGIN/../lib' && cmake --build build --target imago imago-trainer
RUN mkdir -p /opt/imago/bin /opt/imago/lib /opt/trainer \
 && strip -o /opt/imago/bin/imago build/imago \
 && strip -o /opt/trainer/imago-trainer build/imago-trainer \
 && for library in libopenvino.so libopenvino_intel_cpu_plugin.so libopenvino_onnx_frontend.so libtbb.so libtbbmalloc.so libtbbbind_ libhwloc.so; do \
      cp -a .deps/openvino/openvino/libs/$library* /opt/imago/lib/ || exit 1; \
    done

FROM debian:12.11-slim AS serve
LABEL org.opencontainers.image.title="Imago" \
      org.opencontainers.image.description="The whole life of an image classifier: serving" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      ca-certificates curl \
      libabsl20220623 libarchive13 libcurl4 libfmt9 libgif7 libgnutls30 libgrpc++1.51 libgrpc29 libmicrohttpd12 libopencv-core406 libopencv-imgproc406 libprometheus-cpp-core1.0 libprotobuf32 \
      libsimdjson14 libsoci-core4.0 libsoci-postgresql4.0 libsoci-sqlite3-4.0 libspdlog1.10 libspng0 libsqlite3-0 libssl3 libturbojpeg0 \
      libwebp7 libwebpdemux2 libyaml-cpp0.7 zlib1g \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 imago \
 && useradd --uid 10001 --gid imago --home-dir /var/lib/imago --no-create-home --shell /usr/sbin/nologin imago \
 && install -d -o imago -g imago -m 750 /var/lib/imago \
 && ln -s /opt/imago/bin/imago /usr/local/bin/imago
COPY --from=build /opt/imago /opt/imago
ENV IMAGO_WORKSPACE=/var/lib/imago
USER 10001:10001
WORKDIR /var/lib/imago
VOLUME /var/lib/imago
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["/bin/sh", "-c", "curl -sf http://127.0.0.1:${IMAGO_SERVE_PORT:-8000}/health || exit 1"]
ENTRYPOINT ["/opt/imago/bin/imago"]
# Without a key it refuses to listen beyond loopback: make one (imago keys create), or say --insecure.
CMD ["serve", "--listen", "0.0.0.0"]

FROM serve AS full
LABEL org.opencontainers.image.description="The whole life of an image classifier: data, training, evaluation and serving"
USER 0:0
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      libgomp1 libonnx1 libopenblas0-pthread libtorch1.13 zstd \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/trainer/imago-trainer /opt/imago/bin/imago-trainer
COPY --from=build /src/models /opt/imago/models
USER 10001:10001
