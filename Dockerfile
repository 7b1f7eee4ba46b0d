# blurlab on CPUs:
#   docker build -t blurlab .
#   docker run --rm -v "$PWD":/work blurlab deblur photos/ -o out
FROM python:3.11-slim

WORKDIR /opt/blurlab
COPY constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt --index-url https://download.pytorch.org/whl/cpu \
    --extra-index-url https://pypi.org/simple torch==2.13.0
COPY . .
RUN pip install --no-cache-dir -c constraints.txt . && useradd --create-home blurlab

ENV BLURLAB_DATA=/data BLURLAB_RUNS=/work/runs BLURLAB_CACHE=/home/blurlab/.cache NO_ALBUMENTATIONS_UPDATE=1
USER blurlab
WORKDIR /work
ENTRYPOINT ["blurlab"]
CMD ["--help"]
