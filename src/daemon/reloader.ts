import type { Mistake } from '../config/mistake.ts'
import type { Clock } from '../contracts/clock.ts'
import type { ConfigurationHealth } from '../contracts/health.ts'
import { type Log, faultText } from '../observe/log.ts'
import type { LoadedProject, Project } from '../project.ts'
import { FileWatch } from './file-watch.ts'

export type ReloadResult =
  | {
      readonly ok: true
      /** Settings that changed and that only a restart puts in force. */
      readonly needsRestart: readonly string[]
      readonly warnings: readonly Mistake[]
    }
  /** Nothing has changed. */
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }

export interface ReloaderParts {
  readonly load: () => Promise<Project>
  /** Puts a project in force, as a whole; answers what needs a restart. When it throws, nothing has changed. */
  readonly apply: (project: LoadedProject) => readonly string[]
  readonly onReload: (result: 'ok' | 'rejected') => void
  readonly clock: Clock
  readonly log: Log
}

/** Reads the configuration again, one time after the other, when it is told to and when its files change. */
export class Reloader {
  #current: Promise<ReloadResult> | null = null
  #next: Promise<ReloadResult> | null = null
  #stopped = false
  #loadedAt: number
  #rejected: { readonly mistakes: readonly Mistake[] } | null = null
  #needsRestart: readonly string[] = []
  readonly #watch: FileWatch

  private constructor(
    private readonly parts: ReloaderParts,
    /** Of what is in force. */
    private files: readonly string[],
  ) {
    this.#loadedAt = parts.clock.now()
    this.#watch = new FileWatch(parts.clock, () => this.trigger())
  }

  /** To be created as soon as the files have been read: what changes from then on is noticed. */
  static async create(
    parts: ReloaderParts,
    { files, readAt }: { files: readonly string[]; readAt: number },
  ): Promise<Reloader> {
    const reloader = new Reloader(parts, files)
    await reloader.#watch.follow(files, new Map(), readAt)
    return reloader
  }

  start(): void {
    this.#watch.start()
  }

  /** What is being loaded is not put in force any more. */
  stop(): void {
    this.#stopped = true
    this.#watch.stop()
  }

  get health(): ConfigurationHealth {
    const mistakes = this.#rejected?.mistakes ?? []
    return {
      status: this.#rejected === null ? 'ok' : 'rejected',
      loaded_at: new Date(this.#loadedAt).toISOString(),
      mistakes: mistakes.length,
      first_mistake: mistakes[0] === undefined ? null : placeAndMessage(mistakes[0]),
      needs_restart: this.#needsRestart,
    }
  }

  /**
   * Reads the configuration again. What comes while it is being read is answered by one more reading after it. Rejects
   * when something inside the program failed, or when it is stopping; then nothing has changed.
   */
  reload(): Promise<ReloadResult> {
    if (this.#current === null) return this.#begin()
    this.#next ??= this.#current.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  /** Reads the configuration again for somebody who does not wait for the answer: the log has it. */
  async trigger(): Promise<void> {
    try {
      await this.reload()
    } catch {
      // It is in the log.
    }
  }

  #begin(): Promise<ReloadResult> {
    this.#next = null
    const current = this.#run().finally(() => {
      // The next one follows at once: whoever asks in between waits for that one.
      if (this.#current === current && this.#next === null) this.#current = null
    })
    this.#current = current
    return current
  }

  async #run(): Promise<ReloadResult> {
    const { load, log, onReload } = this.parts
    const readAt = Date.now()
    const before = await this.#watch.stamps()
    try {
      const project = await load()
      this.#failIfStopped(project)
      const result = project.ok ? this.#putInForce(project) : this.#reject(project)
      const files = project.ok ? project.files : [...new Set([...this.files, ...project.files])]
      if (project.ok) this.files = files
      await this.#watch.follow(files, before, readAt)
      onReload(result.ok ? 'ok' : 'rejected')
      return result
    } catch (error) {
      if (this.#stopped) throw error
      this.#rejected ??= { mistakes: [] }
      log.error({ fault: faultText(error) }, 'reading the configuration again failed; nothing has changed')
      await this.#watch.follow([...before.keys()], before, readAt)
      onReload('rejected')
      throw error
    }
  }

  #failIfStopped(project: Project): void {
    if (!this.#stopped) return
    if (project.ok) project.plugins.stop()
    throw new Error('refiner-sync is stopping')
  }

  #putInForce(project: LoadedProject): ReloadResult {
    const { apply, clock, log } = this.parts
    const { warnings } = project
    try {
      this.#needsRestart = apply(project)
    } catch (error) {
      project.plugins.stop()
      throw error
    }
    this.#loadedAt = clock.now()
    this.#rejected = null
    for (const { file, line, message } of warnings) log.warn({ at: `${file}:${line}` }, message)
    if (this.#needsRestart.length > 0) {
      log.warn({ settings: this.#needsRestart.join(', ') }, 'only a restart changes these settings')
    }
    return { ok: true, needsRestart: this.#needsRestart, warnings }
  }

  #reject({ mistakes }: { mistakes: readonly Mistake[] }): ReloadResult {
    const { log } = this.parts
    this.#rejected = { mistakes }
    // Without the excerpts: the log is for more eyes than the file.
    for (const { file, line, column, code, message } of mistakes) {
      log.error({ at: `${file}:${line}:${column}`, code }, message)
    }
    log.error({ mistakes: mistakes.length }, 'the configuration is wrong; the one before it stays in force')
    return { ok: false, mistakes }
  }
}

function placeAndMessage({ file, line, column, message }: Mistake) {
  return { file, line, column, message }
}
