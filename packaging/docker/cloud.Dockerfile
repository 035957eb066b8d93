# A Cog-LLM worker: answers what gateways ask over a broker. Any number of them share the questions.
#
#   make wheels
#   docker build -f packaging/docker/cloud.Dockerfile -t geng-cog .
#   docker run --read-only --tmpfs /tmp -e GENG_BROKER=mqtt://broker:1883 geng-cog --worker cloud-1

FROM python:3.11-slim-bookworm AS build
COPY out/wheels /wheels
COPY cloud /src/cloud
# --build-arg TORCH_INDEX=URL names an index of torch for the processor alone; without it pip may fetch
# gigabytes for graphics cards.
ARG TORCH_INDEX=
RUN python -m venv /opt/geng-cog \
 && /opt/geng-cog/bin/pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} 'torch>=2.4,<3' \
 && /opt/geng-cog/bin/pip install --no-cache-dir --find-links /wheels '/src/cloud[mqtt]'

FROM python:3.11-slim-bookworm
COPY --from=build /opt/geng-cog /opt/geng-cog
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin geng-cog
ENV PATH=/opt/geng-cog/bin:$PATH PYTHONUNBUFFERED=1 GENG_CACHE=off
USER 10001:10001
WORKDIR /tmp
# A worker that a broker holds has no port; one whose interpreter no longer starts is not healthy.
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s CMD ["geng-cog", "--version"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["geng-cog", "serve"]
