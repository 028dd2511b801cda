# One image for every service of docker-compose.yml; what a container is, its command says.
#   services      the gateway and the subgraphs
#   development   the same, and what only a development machine has: sign-in, seed

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node node_modules/typescript/bin/tsc -p .

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Neither the Node.js nor the PostgreSQL that come as packages: the image and the compose file bring theirs.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-bookworm-slim AS services
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/schema/supergraph.graphql ./schema/supergraph.graphql
COPY --from=build /app/subgraphs/fx/rate/reference-rates.csv ./subgraphs/fx/rate/reference-rates.csv
COPY --from=build /app/dist/gateway ./dist/gateway
COPY --from=build /app/dist/subgraphs ./dist/subgraphs
COPY --from=build /app/dist/connectors ./dist/connectors
# Where the simulators keep their books: a volume takes over its owner.
RUN mkdir /books && chown node:node /books
USER node

FROM services AS development
COPY --from=build /app/dist/local ./dist/local
