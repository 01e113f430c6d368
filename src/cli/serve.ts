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
  const started = Promise.withResolvers<Daemon>()
  // From the first moment on, or a hangup that comes early would end the process. What goes wrong is in the log.
  context.onHangup(() => void started.promise.then((daemon) => daemon.reload()).catch(() => {}))
  const readAt = Date.now()
  const project = await load()
  if (!project.ok) {
    for (const mistake of [...project.mistakes, ...project.warnings])
      context.printError(formatMistake(mistake))
    return EXIT.failure
  }
  const log = createLog(options.logLevel, context.terminal)
  for (const { file, line, message } of project.warnings) log.warn({ at: `${file}:${line}` }, message)
  try {
    const { configuration, plugins, files } = project
    const daemon = await startDaemon({ configuration, plugins, files, readAt, load, log })
    started.resolve(daemon)
    await context.stopped
    await daemon.stop()
    return EXIT.ok
  } catch (error) {
    log.error({ fault: faultText(error) }, 'cannot run')
    return EXIT.failure
  } finally {
    await log.flush()
  }
}
