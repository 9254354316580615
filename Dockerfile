# syntax=docker/dockerfile:1

FROM node:24-trixie-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM base AS build
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# No development tools, and none of the optional packages: those are the embedded Postgres, which
# production refuses to use.
FROM base AS dependencies
RUN npm ci --omit=dev --omit=optional

FROM base
# UV_THREADPOOL_SIZE: password hashing takes one thread per core and leaves two to DNS and files, so
# ten serve up to eight cores. Idle threads cost nothing.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    UV_THREADPOOL_SIZE=10
COPY --from=dependencies /app/node_modules ./node_modules
COPY migrations ./migrations
COPY bin ./bin
COPY --from=build /app/dist ./dist
# For operators: docker compose exec api-1 keycard status
RUN ["ln", "-s", "/app/bin/keycard.js", "/usr/local/bin/keycard"]
# The image's user "node", by number: Kubernetes can tell from a number alone that it isn't root.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is the process that gets SIGTERM, and it stops gracefully: no shell or npm in between.
CMD ["node", "dist/server.js"]
