# syntax=docker/dockerfile:1
# Trixie's glibc loads uWebSockets.js as it is.
FROM node:22-trixie-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /klystron
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN node scripts/build.mjs --strict \
 && npm prune --omit=dev
# uWebSockets.js carries a binary for each platform and ABI: keep this image's own.
RUN node -e 'const fs=require("fs"),p="node_modules/uWebSockets.js/";\
const own=`uws_linux_${process.arch}_${process.versions.modules}.node`;\
for(const f of fs.readdirSync(p))if(f.endsWith(".node")&&f!==own)fs.rmSync(p+f)' \
 && rm -rf node_modules/node-gyp node_modules/esbuild node_modules/@esbuild build/Release/obj.target test bench

FROM node:22-trixie-slim
LABEL org.opencontainers.image.title="klystron" \
      org.opencontainers.image.description="A drop-in, high-throughput kube-apiserver" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /klystron /klystron
# Only src/apis' tables are read at run time; without src/main.ts the bin neither installs nor builds.
RUN rm -f /klystron/src/main.ts \
 && ln -s /klystron/bin/klystron /usr/local/bin/klystron \
 && ln -s /klystron/bin/kube-apiserver /usr/local/bin/kube-apiserver \
 && install -d -o node -g node -m 0700 /var/lib/klystron
USER node
WORKDIR /var/lib/klystron
VOLUME /var/lib/klystron
EXPOSE 6443
# SIGTERM ends it in order, with exit 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["kube-apiserver"]
CMD ["--data-dir=/var/lib/klystron"]
