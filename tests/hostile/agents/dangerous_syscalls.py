# refused
import ctypes,errno,os
c=ctypes.CDLL(None,use_errno=True)
for n,x in dict(unshare_user=(272,0x10000000),unshare_mnt=(272,0x20000),mount=(165,b"none",b"/tmp",b"tmpfs",0,0),ptrace=(101,0,0,0,0),ptrace_pid1=(101,16,1,0,0),keyctl=(250,0,-3,0),bpf=(321,0,0,0),userfaultfd=(323,0),io_uring=(425,1,0),perf=(298,0,0,-1,-1,0),setns=(308,0,0),pivot=(155,b"/",b"/"),kexec=(246,0,0,0,0),init_module=(175,0,0,b""),open_by_handle=(304,0,0,0),process_vm_readv=(310,1,0,0,0,0,0),memfd_create=(319,b"x",0)).items():
    pid=os.fork()
    if pid==0:
        r=c.syscall(*x); e=ctypes.get_errno(); os.write(1,f"{n}: {'ALLOWED' if r>=0 else errno.errorcode.get(e,e)}\n".encode()); os._exit(0)
    os.waitpid(pid,0)
