import { stat } from 'node:fs/promises'
import type { Cancel, Clock } from '../contracts/clock.ts'

/** Polling sees what notifications miss: other machines' writes, and a symbolic link that points elsewhere. */
const LOOK_EVERY_MS = 1000

/** What tells one state of a file from another, by its path. */
export type Stamps = ReadonlyMap<string, string>

/**
 * Says when files are not any more what they were when they were read, as soon as they have been the same for two looks:
 * an editor may be half-way through writing.
 */
export class FileWatch {
  #running = false
  #cancelLook: Cancel = () => {}
  /** As they were when they were read. */
  #read: Stamps = new Map()
  /** As they were at the last look, where that was different; null when it was not. */
  #changed: Stamps | null = null

  constructor(
    private readonly clock: Clock,
    /** Reads the files; calls `follow` on the way. Looking goes on after it. */
    private readonly onChange: () => Promise<unknown>,
  ) {}

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#lookLater()
  }

  stop(): void {
    this.#running = false
    this.#cancelLook()
  }

  /** The stamps of the files that are watched, as they are now: to be taken before they are read. */
  stamps(): Promise<Stamps> {
    return stampsOf([...this.#read.keys()])
  }

  /**
   * Watches these files from now on, for any change since they were read. Of those that were not watched `before`,
   * only the system's clock tells: what is younger than `readAt`, when reading began, may have been read as it was.
   */
  async follow(files: readonly string[], before: Stamps, readAt: number): Promise<void> {
    const now = await stampsOf(
      files.filter((file) => !before.has(file)),
      readAt,
    )
    this.#read = new Map(files.map((file) => [file, before.get(file) ?? now.get(file)!]))
    this.#changed = null
  }

  async #look(): Promise<void> {
    const now = await this.stamps()
    if (!this.#running) return
    if (Bun.deepEquals(now, this.#read)) {
      this.#changed = null
    } else if (this.#changed !== null && Bun.deepEquals(now, this.#changed)) {
      this.#changed = null
      await this.onChange()
    } else {
      this.#changed = now
    }
    this.#lookLater()
  }

  #lookLater(): void {
    if (this.#running) this.#cancelLook = this.clock.after(LOOK_EVERY_MS, () => void this.#look())
  }
}

async function stampsOf(files: readonly string[], readAt = Infinity): Promise<Stamps> {
  return new Map(await Promise.all(files.map(async (file) => [file, await stampOf(file, readAt)] as const)))
}

/** No file is ever in this state. */
const UNKNOWN = 'unknown'

/** A file that cannot be looked at has a state too. */
async function stampOf(file: string, readAt: number): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file)
    return ctimeMs >= readAt ? UNKNOWN : `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error)
  }
}
