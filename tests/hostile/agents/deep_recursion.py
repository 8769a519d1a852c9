# RecursionError or SIGSEGV reported as such
import sys
sys.setrecursionlimit(10**8)
class A:
    def __getattr__(self,n): return getattr(self,n+"x")
def f(n): return [f(n+1)]
f(0)
