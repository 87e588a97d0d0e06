/**
 * Background jobs on the C library errand.
 *
 * Jobs are found by name in `app/Jobs/*.ts` and `*.js` of the project (the current folder, or the nearest one above it
 * that has an errand.yml). The store is the one that errand.yml or the environment variable ERRAND_URL names, else
 * `errand.db` in the project; {@link configure} says otherwise.
 */

/** What can be dispatched: whatever `JSON.stringify` writes. BigInt, cycles and functions are refused with their place. */
export type Data = any
/** Times are in seconds unless a name says otherwise. */
export type Seconds = number

/** Whatever errand has to say. */
export class ErrandError extends Error {
  constructor(message: string, code?: string, retryable?: boolean)
  /** As in C, without the prefix: 'EINVAL', 'ENOTFOUND', 'EBUSY', 'EUNAVAILABLE', … */
  readonly code: string
  /** The same call may work later. */
  readonly retryable: boolean
}
/** An attempt took longer than its time-out. */
export class JobTimeoutError extends ErrandError {
  constructor(seconds: Seconds)
}
/** Throw it in a handler when no retry helps: the job has failed for good. */
export class JobFailedError extends ErrandError {
  constructor(message: string)
}

/** A fixed wait before each retry, or one for each retry, of which the last repeats. */
export type Backoff = Seconds | Seconds[]
export type BackoffStrategy = 'fixed' | 'linear' | 'exponential'

/** How a job is to run. What is not said, its class, its queue and errand.yml decide, in this order. */
export interface JobOptions {
  queue?: string
  /** How often it runs at most; 3. */
  tries?: number
  /** How long an attempt may take; 300. */
  timeout?: Seconds
  /** Without one: exponential from 10 s, with some jitter. What is said is exact. */
  backoff?: Backoff
  /** linear: backoff × n; exponential: backoff × 2^(n-1). An array of waits wins over it. */
  backoffStrategy?: BackoffStrategy
  /** Smaller first. */
  priority?: number
  tags?: string[]
  encrypted?: boolean
}
export interface DispatchOptions extends JobOptions {
  /** Your own id: dispatching it again stores nothing. */
  id?: string
  /** Seconds from now, or an instant. */
  delay?: Seconds | Date | string
  /** A key that at most one waiting or running job may hold: a second one is not stored, and its dispatch answers the first one's id. */
  unique?: string
  /** How long it is held; without it until the job has ended. */
  uniqueFor?: Seconds
  uniqueUntil?: 'ttl' | 'done' | 'started'
  uniquePolicy?: 'ignore' | 'replace' | 'extend'
  /** No attempt begins after it. */
  retryUntil?: Date
}

/** What a handler finds beside its data. */
export class JobContext {
  readonly id: string
  readonly name: string
  readonly queue: string
  /** 1 for the first. */
  readonly attempt: number
  readonly tries: number
  readonly data: Data
  /** Aborted when the attempt should end: its time is over, or it was cancelled. */
  readonly signal: AbortSignal
  /** A line for the log of this attempt. */
  log(...words: unknown[]): void
  /** 0 to 100, and a short note. */
  progress(percent: number, note?: string): void
  /** Ends the attempt: run it again in so many seconds; no try is lost. */
  snooze(seconds: Seconds): never
  /** Ends the attempt: no retry helps. */
  fail(message: string): never
  /** Ends the attempt: the next one comes in so many seconds, whatever the backoff says. */
  retryIn(seconds: Seconds, message?: string): never
}

/** What a job class or object may have. Only `handle` is needed. */
export interface JobLike<D = any, R = any> extends JobOptions {
  /** Runs at least once: use context.id as a key where that matters. What it returns is the result, at most 64 KiB of JSON. */
  handle(data: D, context: JobContext): R | Promise<R>
  /** Once, when the job has failed for good. */
  failed?(error: Error, data: D): unknown
  /** After each attempt that ran out of time. */
  timedOut?(data: D): unknown
  middleware?: Middleware[] | (() => Middleware[])
  /** A cron line, 5 fields or 6 with seconds, or '@daily'. */
  schedule?: string
  /** Its time zone: 'Europe/Berlin'; UTC. */
  zone?: string
}
/** What a job class extends: `export default class SendMail extends Job { async handle(data) { … } }`. */
export class Job {
  static dispatch(data?: Data, options?: DispatchOptions): Promise<string>
  static dispatchSync(data?: Data, options?: JobOptions): Promise<any>
}
/** A job by its name (in any spelling: 'send-mail' is SendMail) or by its class. */
export type JobRef = string | (new () => JobLike) | (JobLike & { name: string })

/** Stores a job. Answers its id, or that of the job that stands for it. When it resolves, the job survives the kill of any process. */
export function dispatch(job: JobRef, data?: Data, options?: DispatchOptions): Promise<string>
/** Runs the handler here and now, with middleware and time-out: no store, no retry, no failed hook. */
export function dispatchSync(job: JobRef, data?: Data, options?: JobOptions): Promise<any>
/** Null, and nothing is looked at, when the condition does not hold. */
export function dispatchIf(condition: unknown, job: JobRef, data?: Data, options?: DispatchOptions): Promise<string | null>
/** Null, and nothing is looked at, when the condition holds. */
export function dispatchUnless(condition: unknown, job: JobRef, data?: Data, options?: DispatchOptions): Promise<string | null>
/** In so many seconds, or from an instant on. The past and zero are now. */
export function dispatchAfter(delay: Seconds | Date, job: JobRef, data?: Data, options?: DispatchOptions): Promise<string>

/** One of many jobs. */
export interface Item extends DispatchOptions {
  job: JobRef
  data?: Data
  options?: DispatchOptions
}
/** Many in one transaction, all or none. Answers their ids. */
export function dispatchBulk(jobs: Item[]): Promise<string[]>

/** A job on its way: `job('SendMail').onQueue('mails').delay(60).dispatch({ to: 7 })`. */
export interface PendingJob {
  onQueue(queue: string): this
  delay(delay: Seconds | Date): this
  tries(tries: number): this
  timeout(timeout: Seconds): this
  backoff(backoff: Backoff, strategy?: BackoffStrategy): this
  priority(priority: number): this
  unique(key: string, forSeconds?: Seconds): this
  tags(...tags: string[]): this
  id(id: string): this
  with(options: DispatchOptions): this
  dispatch(data?: Data, options?: DispatchOptions): Promise<string>
  dispatchSync(data?: Data): Promise<any>
  dispatchNow(data?: Data): Promise<any>
  dispatchIf(condition: unknown, data?: Data): Promise<string | null>
  dispatchUnless(condition: unknown, data?: Data): Promise<string | null>
  dispatchAfter(delay: Seconds | Date, data?: Data): Promise<string>
}
export function job(job: JobRef, data?: Data): PendingJob

/** Jobs one after the other. When one fails for good, those behind it are cancelled. */
export interface Chain {
  add(job: JobRef, data?: Data, options?: DispatchOptions): this
  name(name: string): this
  /** A job that runs when a link has failed for good. */
  catch(job: JobRef, data?: Data, options?: DispatchOptions): this
  /** Stores it whole; answers the id of the chain. */
  dispatch(): Promise<string>
}
export function chain(links?: Item[]): Chain

export interface BatchFailure {
  id: string
  name: string
  jobName: string
  data: Data
  error: string
}
/** total = pending + successful + failed + cancelled */
export interface BatchResult {
  id: string
  total: number
  pending: number
  successful: number
  failed: number
  cancelled: number
  failures: BatchFailure[]
}
/** Jobs side by side. A function is called in this process; a job, `{ job, data }`, is stored with the batch and survives it. */
export interface Batch {
  add(job: JobRef | Item, data?: Data, options?: DispatchOptions): this
  name(name: string): this
  /** Goes on when a member fails for good. Else the first such failure cancels what has not started. */
  allowFailures(is?: boolean): this
  onSuccess(what: ((result: BatchResult) => unknown) | Item): this
  onFailure(what: ((failed: BatchFailure[], result: BatchResult) => unknown) | Item): this
  finally(what: ((result: BatchResult) => unknown) | Item): this
  /** Stores it, and resolves when it has ended. */
  dispatch(options?: { timeout?: Seconds }): Promise<BatchResult>
  /** Stores it and returns at once, with its id. */
  start(): Promise<string>
  /** After `start`: resolves when it has ended. */
  wait(options?: { timeout?: Seconds }): Promise<BatchResult>
}
export function batch(jobs?: Item[]): Batch
/** Resolves when a batch or chain has ended; rejects with ETIMEOUT. */
export function waitForBatch(id: string, options?: { timeout?: Seconds }): Promise<BatchResult>
export function findBatch(id: string): Promise<BatchResult>
/** Answers how many jobs were cancelled at once; those that run are stopped by their workers. */
export function cancelBatch(id: string): Promise<number>
/** Resolves with the state of a job when it has ended. */
export function waitForJob(id: string, options?: { timeout?: Seconds }): Promise<'completed' | 'failed' | 'cancelled'>

/** What happens around a handler. */
export type Middleware =
  | ((context: JobContext, next: () => Promise<any>) => any)
  | { handle(context: JobContext, next: () => Promise<any>): any }
  | UniqueJobMiddleware
  | RateLimitMiddleware
  | WithoutOverlappingMiddleware
  | ThrottleMiddleware
/** A template over the data, 'order:{orderId}', which every dispatcher can compute; or a function of the data. */
export type Key<D = any> = string | ((data: D) => string | number)
/** A second job of the same key is not stored, and its dispatch answers the id of the first. */
export class UniqueJobMiddleware {
  constructor(options: { key: Key; ttl?: Seconds; until?: 'ttl' | 'done' | 'started'; policy?: 'ignore' | 'replace' | 'extend' })
  readonly told: object
}
/** At most maxAttempts attempts begin in any window; what is over it waits, in order, without a try. A key without data in it is shared by all classes that name it. */
export class RateLimitMiddleware {
  constructor(options: { maxAttempts?: number; max?: number; decayMinutes?: number; decaySeconds?: Seconds; per?: Seconds; key?: Key; name?: string })
  readonly told: object
}
/** At most `max` (1) jobs of a key run at a time. */
export class WithoutOverlappingMiddleware {
  constructor(options?: { key?: Key; max?: number; name?: string })
  readonly told: object
}
/** What is over it is not run but ends completed. */
export class ThrottleMiddleware {
  constructor(options: { max?: number; maxAttempts?: number; allow?: number; per?: Seconds; every?: Seconds; key?: string; name?: string })
  readonly told: object
}
/** Does not run the job when the function says so; it ends completed. */
export class SkipIfMiddleware {
  constructor(condition: (data: any, context: JobContext) => unknown)
  handle(context: JobContext, next: () => Promise<any>): Promise<any>
}
/** Stands around every job of this process, outside of its own list. */
export function useMiddleware(middleware: Middleware): void

export interface WorkerOptions {
  /** Left first; all of them without. */
  queues?: string[] | string
  queue?: string
  /** How many handlers run at a time; 1. */
  concurrency?: number
  /** Ends after so many attempts. */
  maxJobs?: number
  /** Ends when nothing is ready and nothing runs; delayed jobs do not count. */
  stopWhenEmpty?: boolean
  /** How long stop() lets run what runs; 30. */
  grace?: Seconds
  /** How long a job stays this worker's when the process is gone; 30. */
  lease?: Seconds
  name?: string
  /** Without it warnings go to standard error. */
  onWarning?: (text: string) => void
}
/**
 * A worker in this process, whose handlers run on its event loop. Its leases are kept also while the loop is blocked; a
 * handler that overruns its time is told by context.signal and its job is settled without it. What must be killed when it
 * hangs belongs to `errand queue:work`.
 */
export class QueueWorker {
  constructor(options?: WorkerOptions)
  readonly isRunning: boolean
  /** Handlers that run. */
  readonly active: number
  /** Attempts that have ended, and those of them that threw. */
  readonly processed: number
  readonly failures: number
  /** Resolves when it works. */
  start(): Promise<this>
  /** Reserves nothing more, lets what runs end within the grace, hands the rest back. */
  stop(options?: { now?: boolean }): Promise<void>
  /** Resolves when it has ended. */
  wait(): Promise<void>
}
/** Several workers, each with queues and places of its own. */
export class WorkerManager {
  constructor(options?: WorkerOptions)
  readonly workers: QueueWorker[]
  readonly isRunning: boolean
  addWorker(queues: string, options?: WorkerOptions): QueueWorker
  /** Resolves when all work; when one cannot, none does. */
  start(): Promise<void>
  stop(options?: { now?: boolean }): Promise<void>
}

export interface FailedFilter {
  queue?: string
  name?: string
  tag?: string
  /** Bytes that occur in the id, the data or the error. */
  search?: string
  since?: Date
  until?: Date
}
export interface FailedJob {
  id: string
  name: string
  jobName: string
  queue: string
  data: Data
  payload: Data
  error: Error
  exception: string
  attempts: number
  attemptsMade: number
  tries: number
  maxAttempts: number
  failedAt: Date
  createdAt: Date
}
/** Jobs that have failed for good. They stay until somebody retries or removes them. */
export class FailedJobManager {
  /** The last to be dispatched first. */
  all(filter?: FailedFilter): Promise<FailedJob[]>
  find(id: string): Promise<(FailedJob & { history: { n: number; error: string; log: string; startedAt: Date; endedAt: Date }[] }) | null>
  count(filter?: FailedFilter): Promise<number>
  /** Back to its queue under the same id, with all its tries. */
  retry(id: string): Promise<void>
  /** Answers how many. */
  retryAll(filter?: FailedFilter): Promise<number>
  /** False when it is not there any more. */
  delete(id: string): Promise<boolean>
  forget(id: string): Promise<boolean>
  flush(filter?: FailedFilter & { olderThan?: Seconds }): Promise<number>
}
export function retryFailedJob(id: string): Promise<void>
/** Retries all; answers how many. */
export function executeFailedJobs(filter?: FailedFilter): Promise<number>

/** Dispatches what is scheduled from now on, on a thread of its own. Many may run; each slot gives one job. */
export function startScheduler(): Promise<void>
export function stopScheduler(): Promise<void>
export function getSchedulerStatus(): {
  running: boolean
  isRunning: boolean
  /** By the name of the schedule. */
  nextRunTimes: Record<string, Date>
  schedules: { name: string; job: string; isPaused: boolean; nextMs: number; lastMs: number; missed: number; error: string | null }[]
}
/** Dispatches the job of a schedule now, and moves nothing. Answers the id of the job. */
export function triggerJob(name: string): Promise<string>

/** docs/events.md has all types. */
export type QueueEventType = '*' | 'job:dispatched' | 'job:started' | 'job:completed' | 'job:failed' | 'job:retrying' | (string & {})
export interface QueueEvent {
  type: string
  seq: number
  jobId: string
  jobName: string
  queue: string
  attempt: number
  timestamp: Date
  /** Milliseconds, of job:completed. */
  duration?: number
  /** Seconds, of job:retrying and others that wait. */
  delay?: Seconds
  error?: Error
}
/** Calls the listener with what happens from now on, in whichever process. Answers a function that ends it. */
export function onQueueEvent(type: QueueEventType, listener: (payload: QueueEvent) => unknown): (() => void) & { ready: Promise<void> }

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'
export interface QueueHealth {
  status: HealthStatus
  queues: { name: string; status: HealthStatus; pending: number; processing: number; delayed: number; completed: number; failed: number; cancelled: number; oldestMs: number; isPaused: boolean; workers: number }[]
  workers: { name: string; state: string; running: number; trouble: string | null }[]
  alerts: { status: HealthStatus; what: string; queue: string | null; message: string }[]
  warnings: string[]
  metrics: { pending: number; processing: number; delayed: number; completed: number; failed: number; done: number; failedInWindow: number; retried: number; errorRate: number; workers: number }
  timestamp: Date
}
/** From where on; what is not said is as errand.yml says, else 1000/5000 ready, 10/100 failed, 1 h/24 h oldest, 10 %/50 % errors. */
export interface HealthLimits {
  readyDegraded?: number
  readyUnhealthy?: number
  failedDegraded?: number
  failedUnhealthy?: number
  oldestDegradedMs?: number
  oldestUnhealthyMs?: number
  errorsDegraded?: number
  errorsUnhealthy?: number
  noWorkerMs?: number
}
/** A store that does not answer is unhealthy, and no exception. */
export function checkQueueHealth(limits?: HealthLimits): Promise<QueueHealth>
export function isQueueHealthy(limits?: HealthLimits): Promise<boolean>
/** For an HTTP server of Node or Bun: health as JSON, with 200, 207 or 503. */
export function healthHandler(limits?: HealthLimits): (request: any, response?: any) => Promise<any>

export interface RecordedJob {
  name: string
  data: Data
  queue: string
  way: 'dispatch' | 'sync' | 'chain' | 'batch' | 'flow' | 'after' | 'schedule'
  delay: Seconds
}
/** What was handed out since fake(). Names match in any spelling. */
export class FakeQueue {
  hasDispatched(job: JobRef, predicate?: (data: any) => boolean): boolean
  dispatched(job?: JobRef, predicate?: (data: any) => boolean): RecordedJob[]
  /** Those with a delay. */
  pushed(job?: JobRef): RecordedJob[]
  assertDispatched(job: JobRef, predicate?: (data: any) => boolean): void
  assertDispatchedTimes(job: JobRef, times: number): void
  assertNotDispatched(job: JobRef, predicate?: (data: any) => boolean): void
  assertNothingDispatched(): void
  assertPushedOn(job: JobRef, queue: string): void
  assertPushedWithDelay(job: JobRef, seconds: Seconds): void
  assertChained(jobs: JobRef[]): void
  assertBatched(jobs: JobRef[]): void
}
/** From now on what is dispatched is recorded, and neither stored nor run. */
export function fake(): FakeQueue
/** What was recorded; null when nothing is faked. */
export function getFakeQueue(): FakeQueue
/** The store is back. As often as you like. */
export function restore(): void
/** Runs one attempt here, with middleware and time-out and without a store. Never throws for what the handler does. */
export function runTestJob(job: JobRef, data?: Data, options?: JobOptions & { id?: string; attempt?: number }): Promise<{
  success: boolean
  result?: any
  error?: Error
  timedOut?: boolean
  snoozed?: Seconds
  progress: { percent: number; note?: string }[]
  log: string[]
  duration: number
}>

/** Where the jobs are, in place of what errand.yml and ERRAND_URL say. Closes what is open. */
export function configure(settings?: {
  /** 'sqlite:PATH', 'postgres://…', 'redis://…', 'memory:' (this process alone) */
  url?: string
  /** The project: where app/Jobs is. */
  folder?: string
  durable?: 'normal' | 'full'
  busyMs?: number
  queue?: string
  tries?: number
  timeout?: Seconds
}): Promise<void>
/** Ends what is open; the next call opens it again. */
export function close(): Promise<void>
/** A job of this program, beside those of app/Jobs. Answers its name. */
export function registerJob(job: JobRef, source?: (new () => JobLike) | JobLike): string
