import { pathToFileURL } from 'node:url'

/** Starts the thread whose entry point is the given file below `src/`. */
export function startWorker(file: WorkerFile): Worker {
  return new Worker(workerUrl(file).href)
}

type WorkerFile = `${string}-worker.ts`

/**
 * Where the entry point of a thread is. From source, beside this file. In the compiled program there are no files: the
 * further entry points of `bun build` lie beside the program's own, under their paths below `src/`.
 */
export function workerUrl(file: WorkerFile): URL {
  return isCompiled ? new URL(`./${file}`, pathToFileURL(Bun.main)) : new URL(`../${file}`, import.meta.url)
}

/** Where Bun mounts what a compiled program brings along. */
const isCompiled = Bun.main.startsWith('/$bunfs/')
