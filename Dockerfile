# The bot as an image: what is left of a base is Python and what it needs, everything else comes from the lock by hash.
#
# The digest is that of Python 3.13.15 on Debian 13 (slim). It was written down where no registry could be asked, from what
# others pin: a registry gives that very image for it, or none. To take a newer one, change the digest with the tag.
ARG BASE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
FROM $BASE AS build
ARG BASE
RUN case "$BASE" in \
      *@sha256:* | localhost/*) ;; \
      *) echo "$BASE may be another image tomorrow: name it by its digest, NAME@sha256:..." >&2; exit 1 ;; \
    esac
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build
COPY requirements.lock requirements-build.lock requirements-image.lock ./
# pip, the build backend and the auditors live in environments of their own, which stay behind in this stage.
RUN python3 -m venv tools && python3 -m venv auditors \
 && tools/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock \
 && auditors/bin/pip install --require-hashes --only-binary :all: -r requirements-image.lock \
 && python3 -m venv --without-pip /opt/maskbot \
 && tools/bin/pip --python /opt/maskbot/bin/python install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml LICENSE ./
COPY bot bot
COPY handlers handlers
COPY config config
RUN tools/bin/python -m hatchling build --target wheel --directory dist \
 && tools/bin/pip --python /opt/maskbot/bin/python install --no-deps --no-index dist/*.whl

# The bill of materials (CycloneDX), and the build fails for a known vulnerability. Only where no advisories can be had:
# --build-arg ADVISORIES=none
ARG ADVISORIES=needed
RUN auditors/bin/cyclonedx-py environment --output-file /opt/maskbot/sbom.cdx.json /opt/maskbot/bin/python \
 && if [ "$ADVISORIES" != none ]; then auditors/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock; fi

# Whoever gets into the bot finds no shell, no tool, no package manager. dpkg's list stays, for scanners.
FROM $BASE AS bare
COPY --from=build /opt/maskbot /opt/maskbot
# The folders to mount: configuration, secrets (each in a file by its name, and the key in ssh_key), and the database.
# They are empty, so whatever is not mounted is named when the bot starts.
RUN install -d /etc/maskbot /run/secrets \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/maskbot \
 && rm -rf /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/pip* /usr/lib/python3*/ensurepip \
      /usr/lib/python3/dist-packages/pip* /usr/share/python-wheels /usr/lib/apt /var/lib/apt /var/cache /var/log/* \
      /usr/share/doc /usr/share/man /usr/share/perl* /usr/lib/*-linux-gnu/perl* /usr/libexec \
 && find /bin/ /sbin/ /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin ! -type d ! -name 'python3*' -delete

FROM scratch
COPY --from=bare / /
ENV PATH=/opt/maskbot/bin:/usr/local/bin:/usr/bin \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/maskbot \
    MASKBOT_CONFIG_DIR=/etc/maskbot \
    MASKBOT_LOG_FORMAT=json \
    MASKBOT_SECRETS_DIR=/run/secrets \
    MASKBOT_SSH_KEY_FILE=/run/secrets/ssh_key \
    MASKBOT_DATABASE_URL=sqlite:////var/lib/maskbot/maskbot.db
WORKDIR /var/lib/maskbot
VOLUME /var/lib/maskbot
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["maskbot", "status"]
ENTRYPOINT ["maskbot"]
CMD ["run"]
