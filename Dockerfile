FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.txt /
RUN pip install --require-hashes -r /requirements.txt
WORKDIR /app
COPY . .
RUN SECRET_KEY=only-for-collectstatic DEBUG=0 python manage.py collectstatic --no-input

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Traffic Control" org.opencontainers.image.licenses="MIT"
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 JOURNAL_DIR=/tmp/journal
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin traffic
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", \
  "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/livez', timeout=2)"]
ENTRYPOINT ["deploy/entrypoint.sh"]
CMD ["web"]
