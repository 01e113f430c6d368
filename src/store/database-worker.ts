import { parentPort, workerData } from 'node:worker_threads'
import { type DatabaseTask, doDatabaseTask } from './database-task.ts'

/** The entry point of the thread that works on a whole database file: one task, one answer. */
parentPort!.postMessage(doDatabaseTask(workerData as DatabaseTask))
