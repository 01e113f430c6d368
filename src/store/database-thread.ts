import { Worker } from 'node:worker_threads'
import { workerUrl } from '../threads/start-worker.ts'
import type { DatabaseResult, DatabaseTask } from './database-task.ts'

/**
 * Does a task on a thread of its own, so that this one can show how far it is, and be asked to stop: then it rejects
 * at once, and the thread ends when SQLite lets it.
 */
export async function runDatabaseTask(task: DatabaseTask, signal: AbortSignal): Promise<DatabaseResult> {
  signal.throwIfAborted()
  const worker = new Worker(workerUrl('store/database-worker.ts'), { workerData: task })
  try {
    return await new Promise<DatabaseResult>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('working on the database: its thread ended')))
    })
  } finally {
    void worker.terminate()
  }
}
