import { TENANT } from '../demo/configuration.ts'
import { invite } from '../demo/invitation.ts'
import { createNarrator, type Narrator } from '../demo/narrator.ts'
import { createPalette, type Palette } from '../demo/palette.ts'
import { play, PlayFailed } from '../demo/play.ts'
import { choosePort, isFree, USUAL_PORT } from '../demo/port.ts'
import { setStage, type Stage } from '../demo/stage.ts'

export interface DemoOptions {
  /** Null: 8787, or a free one when that is taken. */
  readonly port: number | null
  /** Exit after the play instead of staying up. */
  readonly once: boolean
}

export interface DemoIo {
  print(line: string): void
  readonly colours: boolean
  /** Resolves when the user wants to stop (SIGINT, SIGTERM). */
  readonly stopped: Promise<void>
}

/**
 * Runs the daemon between stand-ins for Segment and Refiner, plays a few interactions, and stays up for more. Returns
 * the exit code: 0, or 1 when something did not go as it should. Leaves nothing behind.
 */
export async function demo(options: DemoOptions, io: DemoIo): Promise<number> {
  const palette = createPalette(io.colours)
  const narrator = createNarrator((line) => io.print(line), palette)
  if (options.port !== null && !isFree(options.port)) {
    narrator.failure(`Port ${options.port} is taken. Choose another, or leave --port out.`)
    return 1
  }
  const stage = await setStage(choosePort(options.port), narrator)
  try {
    welcome(stage, narrator, palette)
    if (options.port === null && new URL(stage.url).port !== String(USUAL_PORT)) {
      narrator.line(`Port ${USUAL_PORT} is taken by another program, so that this one listens elsewhere.`)
    }
    const played = await playUntilStopped(stage, narrator, io.stopped)
    if (played === 'failed') return 1
    if (played === 'stopped' || options.once) return 0
    invite(stage.url, narrator, palette)
    await io.stopped
    narrator.line('Stopped; the demo leaves nothing behind.')
    return 0
  } finally {
    await stage.stop()
  }
}

function welcome(stage: Stage, narrator: Narrator, palette: Palette): void {
  const name = palette.strong('refiner-sync')
  narrator.line()
  narrator.line(`${name} runs at ${palette.strong(stage.url)}, with a tenant named ${TENANT}.`)
  narrator.line(
    'Segment and Refiner are stand-ins on this machine; nothing leaves it. All people are invented.',
  )
}

async function playUntilStopped(
  stage: Stage,
  narrator: Narrator,
  stopped: Promise<void>,
): Promise<'played' | 'stopped' | 'failed'> {
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  try {
    await play(stage, narrator, new Date(), stop.signal)
    return 'played'
  } catch (error) {
    if (stop.signal.aborted) return 'stopped'
    if (!(error instanceof PlayFailed)) throw error
    narrator.failure(error.message)
    return 'failed'
  }
}
