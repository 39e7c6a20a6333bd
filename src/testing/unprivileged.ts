const nobody = 65_534

/** Does the work as somebody who may not do everything: as root, whom no mode of a file refuses, it becomes nobody for that time. */
export async function unprivileged<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(nobody)
  try {
    return await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}
