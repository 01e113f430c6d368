import { statSync } from 'node:fs'

/** What a file is, whatever it is called. */
interface Identity {
  readonly dev: number
  readonly ino: number
}

/**
 * Knows whether an open database is still the one that its path leads to: who deletes or renames the files under a
 * running program leaves it writing to what nobody will ever find again. To be made right after opening; costs a look
 * at three directory entries each time.
 */
export class FileWatch {
  readonly #opened: readonly (readonly [path: string, opened: Identity])[]

  constructor(path: string) {
    this.#opened = [path, `${path}-wal`, `${path}-shm`].flatMap((file) => {
      const opened = identity(file)
      return opened === null ? [] : [[file, opened] as const]
    })
  }

  /** What is wrong and what to do about it; null while the files are in their places. */
  missing(): string | null {
    for (const [file, { dev, ino }] of this.#opened) {
      const found = identity(file)
      if (found === null) {
        return `its file ${file} has been deleted or renamed: put it back; before a restart, rescue what it holds as docs/reliability.md says`
      }
      if (found.ino !== ino || found.dev !== dev) {
        return `another file has been put in the place of ${file}: put the first one back, or restart to go on with this one`
      }
    }
    return null
  }
}

function identity(file: string): Identity | null {
  return statSync(file, { throwIfNoEntry: false }) ?? null
}
