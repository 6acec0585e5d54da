# Interactive shells of root.
if [ -r /etc/bash.bashrc ]; then
    . /etc/bash.bashrc
fi
alias cp='cp -i'
alias mv='mv -i'
alias rm='rm -i'
