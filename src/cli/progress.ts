import type { CommandContext } from './context.ts'

const WIDTH = 30

/** How far something long has come: a bar on a terminal, a line now and then elsewhere. */
export class Progress {
  #shown = false

  constructor(
    private readonly context: CommandContext,
    /** Null when it is not known how many there are. */
    private readonly total: number | null,
  ) {}

  at(done: number): void {
    const { total } = this
    const { showProgress } = this.context
    const text = total === null ? `${done}` : `${done} of ${total}`
    if (showProgress === undefined) return this.context.printError(`${text} replayed so far`)
    this.#shown = true
    if (total === null || total === 0) return showProgress(text)
    const share = Math.min(1, done / total)
    const full = Math.round(share * WIDTH)
    showProgress(`[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${text}, ${Math.floor(share * 100)}%`)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#shown) this.context.showProgress?.('')
    this.#shown = false
  }
}
