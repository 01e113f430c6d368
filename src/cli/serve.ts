import { formatMistake } from '../config/mistake.ts'
import { type Daemon, startDaemon } from '../daemon.ts'
import { createLog, faultText, type LogLevel } from '../observe/log.ts'
import { loadProject } from '../project.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'

/** Runs the daemon until the process is asked to stop. */
export async function serve(
  options: { config: string; logLevel: LogLevel },
  context: CommandContext,
): Promise<ExitCode> {
  const load = () => loadProject(options.config, context.environment)
  const project = await load()
  if (!project.ok) {
    for (const mistake of [...project.mistakes, ...project.warnings])
      context.printError(formatMistake(mistake))
    return EXIT.failure
  }
  const log = createLog(options.logLevel, context.terminal)
  for (const { file, line, message } of project.warnings) log.warn({ at: `${file}:${line}` }, message)
  const started = Promise.withResolvers<Daemon>()
  // What goes wrong is in the log.
  context.onHangup(() => void started.promise.then((daemon) => daemon.reload()).catch(() => {}))
  try {
    const { configuration, plugins, files } = project
    const daemon = await startDaemon({ configuration, plugins, files, load, log })
    started.resolve(daemon)
    await context.stopped
    await daemon.stop()
    return EXIT.ok
  } catch (error) {
    log.error({ fault: faultText(error) }, 'cannot run')
    return EXIT.failure
  }
}
