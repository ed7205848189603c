# The bot as an image: two stages, one base, everything else from the lock by hash.
#
# A registry was out of reach where this was written, so the base is named by tag. Pin it where you build
# (python:3.13-slim@sha256:...), and let the same tool that updates the lock update the digest.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
# pip and the build backend live in an environment of their own, which stays behind in this stage.
RUN python3 -m venv tools \
 && tools/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock \
 && python3 -m venv --without-pip /opt/maskbot \
 && tools/bin/pip --python /opt/maskbot/bin/python install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml LICENSE ./
COPY bot bot
COPY handlers handlers
COPY config config
RUN tools/bin/python -m hatchling build --target wheel --directory dist \
 && tools/bin/pip --python /opt/maskbot/bin/python install --no-deps --no-index dist/*.whl

FROM python:3.13-slim
COPY --from=build /opt/maskbot /opt/maskbot
# Examples that `maskbot check` accepts; mount your own directory here.
COPY config/*.yaml /etc/maskbot/
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/maskbot
ENV PATH=/opt/maskbot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/maskbot \
    MASKBOT_CONFIG_DIR=/etc/maskbot \
    MASKBOT_DATABASE_URL=sqlite:////var/lib/maskbot/maskbot.db
WORKDIR /var/lib/maskbot
VOLUME /var/lib/maskbot
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["maskbot", "status"]
ENTRYPOINT ["maskbot"]
CMD ["run"]
