/** The register numbers of x86-64 and of all younger architectures. */
const numbers = process.arch === 'x64' ? { ptrace: 101, readMemory: 310 } : { ptrace: 117, readMemory: 270 }
const pidfdOpen = 434
const pidfdGet = 438

/**
 * What a debugger does, without one: shell commands that print `GOT …` where the kernel lets them. Each says so of itself when another user runs
 * it, and root's run of the same is the proof that the command itself works.
 */
export function debuggerCalls(pid: number): Readonly<Record<string, string>> {
  const perl = (code: string) => `perl -e '$p=${pid}; ${code}'`
  return {
    'is attached to (ptrace)': perl(
      `print syscall(${numbers.ptrace},0x4206,$p,0,0)==0 ? "GOT attached" : "no: $!"`,
    ),
    // The rights are checked before the address, so that any other error is a yes.
    'has its memory read (process_vm_readv)': perl(
      `$b="\\0"x16; $l=pack("QQ",unpack("Q",pack("P",$b)),16); $r=pack("QQ",0x400000,16); $n=syscall(${numbers.readMemory},$p,$l,1,$r,1,0); print $n<0 && $!+0==1 ? "no: $!" : "GOT memory"`,
    ),
    'has a descriptor taken out of it (pidfd_getfd)': perl(
      `$d=syscall(${pidfdOpen},$p,0); $n=syscall(${pidfdGet},$d,0,0); print $n<0 ? "no: $!" : "GOT descriptor $n"`,
    ),
    'has its memory opened': `exec 3</proc/${pid}/mem && echo GOT memory; exec 3<>/proc/${pid}/mem && echo GOT writing`,
    'is entered (nsenter)': `nsenter -t ${pid} -m true && echo GOT inside`,
  }
}
