export { type CompileOptions, type CompileTarget, compileContract, compileTargets } from './compile.ts'
export { checkExample, type ExampleProblem } from './example-check.ts'
export { guardRules } from './guard-rules.ts'
