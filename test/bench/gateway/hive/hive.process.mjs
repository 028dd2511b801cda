// Hive Gateway as its documentation sets it up. Copied beside its own packages before it runs, since they are not ours.
import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';

// With its Rust planner where HIVE_PLANNER says so; its stitching runtime is what it does unless told otherwise.
const { SUPERGRAPH, HIVE_PLANNER } = process.env;
const options = { supergraph: SUPERGRAPH, logging: 'error' };
if (HIVE_PLANNER === 'rust')
  options.unifiedGraphHandler = (await import('@graphql-hive/router-runtime')).unifiedGraphHandler;
const gateway = createGatewayRuntime(options);
const server = createServer(gateway);
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}/graphql` }));
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
