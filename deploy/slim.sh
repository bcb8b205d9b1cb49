#!/bin/sh
# Removes what a site never uses from an environment, three tenths of it: `slim.sh ENVIRONMENT`. Needs binutils.
set -eu
cd "$1"/lib/python*/site-packages

# What packages bring to test themselves.
find . -type d -name tests -prune -exec rm -r {} +
rm -r onnx/backend/test

# OpenVINO on other processors than the CPU, and from other formats than ours.
for part in intel_gpu_plugin intel_npu_plugin auto_plugin auto_batch_plugin hetero_plugin c tensorflow_frontend tensorflow_lite_frontend pytorch_frontend \
    paddle_frontend jax_frontend gguf_frontend; do
    rm -f openvino/libs/libopenvino_"$part".so*
done
rm -f openvino/libs/cache.json

# OpenVINO runs the networks: the second runtime is never chosen.
rm -r onnxruntime onnxruntime-*.dist-info

# What compiling against packages needs, and types for editors.
rm -r openvino/include openvino/cmake
find . -type f \( -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*.c' -o -name '*.pyx' -o -name '*.pxd' \
    -o -name '*.pyi' \) -delete

# The names of functions in libraries that call them by number: the compiler's alone are 19 MB.
find . \( -name libllvmlite.so -o -name '_brotli.*.so' -o -name '_rust.abi3.so' \) -exec strip --strip-unneeded {} +

# Of scipy, what nothing of a site imports.
for part in cluster datasets differentiate fftpack integrate interpolate odr optimize signal stats; do
    rm -rf scipy/"$part"
done

# How to test what uses SQLAlchemy, and how to colour programs in terminals.
rm -rf sqlalchemy/testing
find pygments/lexers -type f ! -name '__init__.*' ! -name '_mapping.*' -delete

# Dates in other languages than the site's.
find babel/locale-data -type f ! -name 'root.dat' ! -name 'en*' ! -name 'de*' ! -name 'es*' ! -name 'zh*' -delete
