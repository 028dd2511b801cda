import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { readConfiguration, variable } from '../../../subgraphs/kernel/configuration.js';
import { tell } from './process.channel.js';

// @apollo/gateway on Apollo Server as its documentation sets it up: default data source, default everything. Its
// telemetry is switched off by the environment that it is started with.

const { SUPERGRAPH } = readConfiguration({ SUPERGRAPH: variable.text() });
const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl: SUPERGRAPH }) });
const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } });
tell({ url });
