# A gateway: the program, the model, the tokenizer and the link to a broker. For x86-64 and 64-bit Arm.
#
#   make wheels
#   docker build -f packaging/docker/gateway.Dockerfile -t geng-edge-gateway .
#   docker run --read-only --tmpfs /tmp -v geng-edge:/var/lib/geng-edge -e GENG_BROKER=mqtt://broker:1883 geng-edge-gateway

FROM python:3.11-slim-bookworm AS build
COPY out/wheels /wheels
RUN python -m venv /opt/geng-edge \
 && /opt/geng-edge/bin/pip install --no-cache-dir --find-links /wheels 'geng-edge[text,mqtt,cbor]'

FROM python:3.11-slim-bookworm
COPY --from=build /opt/geng-edge /opt/geng-edge
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin geng-edge \
 && install -d -o 10001 -g 10001 /var/lib/geng-edge
ENV PATH=/opt/geng-edge/bin:$PATH PYTHONUNBUFFERED=1 GENG_CACHE=/var/lib/geng-edge/cache
USER 10001:10001
WORKDIR /var/lib/geng-edge
VOLUME /var/lib/geng-edge
# Loopback alone: HTTP asks for no password. Map the port only behind something that does.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["geng-edge", "serve", "--outbox", "/var/lib/geng-edge/outbox.db"]
