import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { QueryPlan } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import { MINUTE } from '../subgraphs/kernel/clock.js';
import type { InvalidError } from '../subgraphs/kernel/error.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { supportedFeatures } from './admission.features.js';
import { tooComplex } from './admission.limits.js';
import { type Planning, type PlanningPolicy, plannerConfig } from './plan.js';
import { labelsIn } from './plan.override.js';
import type { PlanningOrder, PlanningQuestion, PlanningReply } from './plan.worker.js';

interface Running {
  readonly worker: Worker;
  readonly ready: Promise<unknown>;
}

/** The thread said nothing in time. */
class Overdue extends Error {}

/** The thread ended, and not by its own fault. */
class Ended extends Error {}

// Compiled, or the sources as they are.
const FILE = new URL(`./plan.worker${extname(import.meta.url)}`, import.meta.url);
// Where this thread would find them: the other one asks nobody.
const PACKAGES = {
  internals: import.meta.resolve('@apollo/federation-internals'),
  planner: import.meta.resolve('@apollo/query-planner'),
  graphql: import.meta.resolve('graphql'),
};
const MOST_START_MS = MINUTE;

/** Plans in a thread of its own, which is ended and replaced when an operation takes it too long or too much memory. */
export class PlanningThread implements Planning {
  private running: Running | null = null;
  private isClosed = false;

  constructor(
    private readonly sdl: string,
    private readonly policy: Pick<PlanningPolicy, 'mostMs' | 'mostMebibytes'>,
    private readonly logger: Logger,
  ) {
    // At once, beside everything else that is to be done at start.
    this.running = this.begin();
  }

  async plan(text: string): Promise<QueryPlan> {
    try {
      return await this.ask(text);
    } catch (thrown) {
      if (!(thrown instanceof Ended) || this.isClosed) throw thrown;
      // It need not be this one's fault. Once more, and if that ends the next thread too, it is.
      return this.ask(text);
    }
  }

  async ready(): Promise<void> {
    if (this.isClosed) throw new Ended('the planner is closed');
    this.running ??= this.begin();
    await this.running.ready;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.running?.worker.terminate();
  }

  private async ask(text: string): Promise<QueryPlan> {
    await this.ready();
    const { running } = this;
    // Just now.
    if (!running) throw new Ended('the planner ended');
    const reply = await this.answer(running, text);
    if ('plan' in reply) return reply.plan;
    if ('problem' in reply) throw problemOf(reply.problem);
    throw new Error('the planner began anew');
  }

  private async answer(running: Running, text: string): Promise<PlanningReply> {
    const { worker } = running;
    // While somebody waits for it the process stays.
    worker.ref();
    try {
      const question: PlanningQuestion = { text, labels: labelsIn(text) };
      worker.postMessage(question);
      return await heard(worker, this.policy.mostMs);
    } catch (thrown) {
      if (this.isClosed) throw thrown;
      const limit = this.limitBroken(thrown);
      this.logger.warn({ cause: limit?.message ?? String(thrown) }, 'the planner is replaced');
      this.replace(running);
      throw limit ?? thrown;
    } finally {
      worker.unref();
    }
  }

  private limitBroken(thrown: unknown): InvalidError | null {
    const { mostMs, mostMebibytes } = this.policy;
    if (thrown instanceof Overdue) return tooComplex('planningMs', mostMs);
    const { code } = thrown as { readonly code?: unknown };
    return code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooComplex('planningMebibytes', mostMebibytes) : null;
  }

  /** At once: the next operation is not to wait for more than it must. */
  private replace({ worker }: Running): void {
    this.running = this.begin();
    void worker.terminate();
  }

  private begin(): Running {
    const features = [...supportedFeatures()];
    const workerData: PlanningOrder = { sdl: this.sdl, features, config: plannerConfig, packages: PACKAGES };
    const worker = new Worker(FILE, {
      name: 'planner',
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: this.policy.mostMebibytes },
      // What is loaded before everything else is meant for the process.
      execArgv: [],
    });
    worker.unref();
    const running = { worker, ready: heard(worker, MOST_START_MS) };
    running.ready.catch((thrown: unknown) => {
      if (this.isClosed) return;
      this.logger.error({ err: thrown }, 'the planner does not start');
      void worker.terminate();
    });
    // Whoever waits for its word hears of it too; nobody may be waiting.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      // The next operation begins another one.
      if (this.running === running) this.running = null;
    });
    return running;
  }
}

/** The next thing that it says. @throws Overdue, Ended, what ended it */
function heard(worker: Worker, withinMs: number): Promise<PlanningReply> {
  const { promise, resolve, reject } = Promise.withResolvers<PlanningReply>();
  const onExit = () => reject(new Ended('the planner ended'));
  const timer = setTimeout(() => reject(new Overdue('the planner takes too long')), withinMs).unref();
  worker.once('message', resolve).once('error', reject).once('exit', onExit);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.off('message', resolve).off('error', reject).off('exit', onExit);
  });
}

/** As the planner threw it, but for its stack. */
function problemOf({
  message,
  extensions,
}: {
  message: string;
  extensions?: Readonly<Record<string, unknown>>;
}): Error {
  return extensions ? new GraphQLError(message, { extensions: { ...extensions } }) : new Error(message);
}
