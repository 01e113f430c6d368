import { loadConfiguration } from '../config/load.ts'
import { formatMistake } from '../config/mistake.ts'
import { startDaemon } from '../daemon.ts'
import { createLog, faultText, type LogLevel } from '../observe/log.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'

/** Runs the daemon until the process is asked to stop. */
export async function serve(
  options: { config: string; logLevel: LogLevel },
  context: CommandContext,
): Promise<ExitCode> {
  const loaded = loadConfiguration(options.config, context.environment)
  if (!loaded.ok) {
    for (const mistake of [...loaded.mistakes, ...loaded.warnings]) context.printError(formatMistake(mistake))
    return EXIT.failure
  }
  const log = createLog(options.logLevel, context.terminal)
  for (const { file, line, message } of loaded.warnings) log.warn({ at: `${file}:${line}` }, message)
  try {
    const daemon = await startDaemon({ configuration: loaded.configuration, log })
    await context.stopped
    await daemon.stop()
    return EXIT.ok
  } catch (error) {
    log.error({ fault: faultText(error) }, 'cannot run')
    return EXIT.failure
  }
}
