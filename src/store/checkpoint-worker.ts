import { Database } from 'bun:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * The entry point of the thread that copies the -wal into the database file, on a connection of its own: once for each
 * message that it is sent. Answers whether it could; the reason is found out by whoever asked.
 */
const sqlite = new Database(workerData as string, { readwrite: true, create: false })
sqlite.run('pragma synchronous = normal')
sqlite.run('pragma wal_autocheckpoint = 0')
const checkpoint = sqlite.prepare('pragma wal_checkpoint(passive)')

parentPort!.on('message', () => {
  try {
    checkpoint.get()
    parentPort!.postMessage(true)
  } catch {
    parentPort!.postMessage(false)
  }
})
