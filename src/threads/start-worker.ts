import { basename } from 'node:path'

/** Starts the thread whose entry point is the given file below `src/`. */
export function startWorker(file: WorkerFile): Worker {
  return new Worker(workerUrl(file).href)
}

type WorkerFile = `${string}-worker.ts`

/**
 * Where the entry point of a thread is.
 *
 * From source, `import.meta` is that of this file. In the compiled program it is that of the program, and the further
 * entry points of `bun build` lie beside it under their paths below `src/`.
 */
export function workerUrl(file: WorkerFile): URL {
  const isSource = basename(import.meta.path) === 'start-worker.ts'
  return new URL(isSource ? `../${file}` : `./${file}`, import.meta.url)
}
