#!/bin/sh
# Removes what a site never uses from an environment, a quarter of it: `slim.sh ENVIRONMENT`.
set -eu
cd "$1"/lib/python*/site-packages

# What packages bring to test themselves.
find . -type d -name tests -prune -exec rm -r {} +
rm -r onnx/backend/test

# OpenVINO on other processors than the CPU, and from other formats than ours.
for part in intel_gpu_plugin intel_npu_plugin tensorflow_frontend tensorflow_lite_frontend pytorch_frontend \
    paddle_frontend jax_frontend gguf_frontend; do
    rm -f openvino/libs/libopenvino_"$part".so*
done
rm -f openvino/libs/cache.json

# OpenVINO runs the networks: the second runtime is never chosen.
rm -r onnxruntime onnxruntime-*.dist-info

# What compiling against packages needs.
rm -r openvino/include openvino/cmake

# Of scipy, what nothing of a site imports.
for part in cluster datasets differentiate fftpack integrate interpolate odr signal stats; do
    rm -rf scipy/"$part"
done

# Dates in other languages than the site's.
find babel/locale-data -type f ! -name 'root.dat' ! -name 'en*' ! -name 'de*' ! -name 'es*' ! -name 'zh*' -delete
